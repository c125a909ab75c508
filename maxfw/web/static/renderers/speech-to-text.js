import { element } from "../elements.js";
import { copyButton, waveform } from "../views.js";

export function render({ answer, file }) {
  return element("div", { class: "stack" },
    element("p", { class: "prose" }, answer.prediction ? `“${answer.prediction}”` : "No speech was recognised."),
    element("div", { class: "buttons" }, copyButton(() => answer.prediction)), waveform(file));
}
