import { element } from "../elements.js";
import { copyButton, nothing, stage } from "../views.js";

export function render({ answer, file }) {
  const paragraphs = answer.text;
  if (!paragraphs.flat().length) return element("div", { class: "stack" }, nothing("No text was found."), stage(file).node);
  const plain = paragraphs.map((lines) => lines.join("\n")).join("\n\n");
  return element("div", { class: "stack" },
    element("article", { class: "paper", "aria-label": "The text that was read" }, paragraphs.map((lines) => element("p", {}, lines.flatMap((line, index) => (index ? [element("br"), line] : [line]))))),
    element("div", { class: "buttons" }, copyButton(() => plain)),
    stage(file).node);
}
