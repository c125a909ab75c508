import { element } from "../elements.js";
import { copyButton } from "../views.js";

export function render({ answer }) {
  const { seed_text: seed, generated_text: generated, full_text: full } = answer.prediction;
  return element("div", { class: "stack" },
    element("p", { class: "prose" }, element("span", { class: "quiet" }, seed), element("mark", { class: "new" }, generated)),
    element("div", { class: "buttons" }, copyButton(() => full ?? seed + generated)));
}
