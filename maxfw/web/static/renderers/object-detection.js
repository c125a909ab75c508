import { boxesView } from "../boxes.js";
import { nothing, stage } from "../views.js";
import { element } from "../elements.js";

export function render({ answer, file }) {
  if (!answer.predictions.length) return element("div", { class: "stack" }, nothing("Nothing was found. A lower threshold may show more."), stage(file).node);
  return boxesView(file, answer.predictions);
}
