import { element } from "../elements.js";
import { strip, waveform } from "../views.js";

const ROW_S = 0.96;

export function render({ answer, file }) {
  return element("div", { class: "stack" }, waveform(file),
    answer.embedding.map((row, index) => strip(row, `${(index * ROW_S).toFixed(2)} s`)));
}
