import { element } from "../elements.js";
import { copyButton } from "../views.js";

const count = (text) => (text.match(/\S+/g) ?? []).length;

export function render({ answer, body }) {
  return element("ol", { class: "cards" }, answer.summary_text.map((summary, index) => {
    const original = body.text[index] ?? "";
    return element("li", { class: "card" },
      element("p", { class: "prose" }, summary),
      element("div", { class: "buttons" }, copyButton(() => summary), element("p", { class: "quiet" }, `${count(original)} words → ${count(summary)}`)),
      element("details", {}, element("summary", {}, "The original"), element("blockquote", {}, original)));
  }));
}
