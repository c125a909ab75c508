import { colourOf } from "../colours.js";
import { element } from "../elements.js";
import { legend, nothing } from "../views.js";

export function render({ answer }) {
  const { tags, terms } = answer.prediction;
  const spans = spansOf(tags, terms);
  const kinds = [...new Set(spans.map(({ kind }) => kind).filter(Boolean))];
  const text = element("p", { class: "entities" }, spans.flatMap(({ kind, words }) => [
    kind ? element("mark", { class: "entity", style: { "--colour": colourOf(kind) }, "data-kind": kind }, words.join(" "), element("span", { class: "kind" }, kind)) : words.join(" "), " "]));
  if (!kinds.length) return element("div", { class: "stack" }, text, nothing("No entity was found."));
  const filter = legend(kinds.map((kind) => ({ key: kind, name: kind, note: `×${spans.filter((span) => span.kind === kind).length}` })), (hidden, meant) => {
    for (const mark of text.querySelectorAll("mark")) {
      mark.classList.toggle("off", hidden.has(mark.dataset.kind));
      mark.classList.toggle("bright", mark.dataset.kind === meant);
    }
  });
  return element("div", { class: "stack" }, text, filter);
}

/** Tags in the B-, I-, O- notation → what stands together. */
function spansOf(tags, terms) {
  const spans = [];
  terms.forEach((term, index) => {
    const tag = String(tags[index] ?? "O");
    const [, begin, kind] = /^([BIES])-(.+)$/.exec(tag) ?? [null, "", tag === "O" ? "" : tag];
    const last = spans.at(-1);
    if (last && last.kind === kind && begin !== "B" && begin !== "S") last.words.push(term);
    else spans.push({ kind, words: [term] });
  });
  return spans;
}
