import { element } from "../elements.js";
import { bars } from "../views.js";

export function render({ answer }) {
  const found = answer.predictions;
  return element("div", { class: "stack" },
    element("p", { class: "headline" }, found.length ? `For user ${found[0].user}` : "Nothing to recommend"),
    bars(found.map((one) => [String(one.title ?? one.item), one.prediction])));
}
