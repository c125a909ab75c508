import { element } from "../elements.js";
import { bars, stage } from "../views.js";

export function render({ answer, file }) {
  const captions = [...answer.predictions].sort((a, b) => Number(a.index) - Number(b.index));
  return element("div", { class: "stack" },
    element("figure", {}, stage(file).node, element("figcaption", { class: "headline" }, captions[0]?.caption ?? "")),
    bars(captions.map((one) => [one.caption, one.probability])));
}
