import { element } from "../elements.js";
import { bars } from "../views.js";

/** One card a text: the historical JSON has a mapping, or a list with one, for each. */
export function render({ answer, body }) {
  return element("ol", { class: "cards" }, answer.predictions.map((one, index) => {
    const named = [one].flat().flatMap(Object.entries).sort((a, b) => b[1] - a[1]);
    return element("li", { class: "card" },
      element("blockquote", {}, body.text[index] ?? ""),
      element("p", { class: "headline" }, named[0]?.[0] ?? ""),
      bars(named));
  }));
}
