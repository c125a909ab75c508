import { element } from "../elements.js";
import { stage, strip } from "../views.js";

export function render({ answer, file }) {
  return element("div", { class: "stack" }, stage(file).node, answer.predictions.map((vector) => strip(vector, "Embedding")));
}
