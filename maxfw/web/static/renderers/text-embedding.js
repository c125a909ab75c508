import { element } from "../elements.js";
import { strip } from "../views.js";

export function render({ answer, body }) {
  const vectors = answer.predictions;
  const texts = body.text ?? [];
  return element("div", { class: "stack" },
    vectors.length > 1 ? likeness(vectors, texts) : element("p", { class: "notice" }, "Add a second text to see how alike the two are."),
    vectors.map((vector, index) => element("div", { class: "card" }, element("blockquote", {}, texts[index] ?? ""), strip(vector, `Text ${index + 1}`))));
}

function likeness(vectors, texts) {
  const cell = (value) => element("td", { class: "heat", style: { "--heat": Math.max(0, value) } }, value.toFixed(2));
  return element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "How alike the texts are" }, element("table", {},
    element("caption", {}, "How alike the texts are (cosine: 1 is the same direction)"),
    element("thead", {}, element("tr", {}, element("td"), vectors.map((_, index) => element("th", { scope: "col", title: texts[index] }, `Text ${index + 1}`)))),
    element("tbody", {}, vectors.map((one, index) => element("tr", {}, element("th", { scope: "row", title: texts[index] }, `Text ${index + 1}`), vectors.map((other) => cell(cosine(one, other))))))));
}

function cosine(a, b) {
  const dot = (x, y) => x.reduce((sum, value, index) => sum + value * y[index], 0);
  return dot(a, b) / (Math.sqrt(dot(a, a) * dot(b, b)) || 1);
}
