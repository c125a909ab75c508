import { element } from "../elements.js";
import { bars, waveform } from "../views.js";

export function render({ answer, file }) {
  return element("div", { class: "stack" },
    element("p", { class: "headline" }, answer.predictions[0]?.label ?? "nothing was recognised"),
    waveform(file), bars(answer.predictions.map((one) => [one.label, one.probability])));
}
