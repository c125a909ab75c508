import { element } from "../elements.js";
import { bars, stage } from "../views.js";

export function render({ answer, file }) {
  const [best] = answer.predictions;
  return element("div", { class: "stack" },
    best ? element("p", { class: "headline" }, best.label) : null,
    stage(file).node,
    bars(answer.predictions.map((one) => [one.label ?? "probability", one.probability])));
}
