import { element } from "../elements.js";
import { urlOf } from "../views.js";

/** Any answer: a picture, a sound, or JSON as it is. */
export function render({ answer, media }) {
  if (media?.type.startsWith("image/")) return element("img", { class: "picture", alt: "The model's picture", src: urlOf(media) });
  if (media?.type.startsWith("audio/")) return element("audio", { controls: true, src: urlOf(media), "aria-label": "The model's sound" });
  return element("pre", { class: "code", tabindex: "0", "aria-label": "The answer as JSON" }, JSON.stringify(answer, null, 2));
}
