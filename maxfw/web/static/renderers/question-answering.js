import { colourOf } from "../colours.js";
import { element } from "../elements.js";

export function render({ answer, body }) {
  return element("ol", { class: "cards" }, answer.predictions.map((answers, index) => {
    const { context = "", questions = [] } = body.paragraphs?.[index] ?? {};
    return element("li", { class: "card" },
      element("dl", { class: "answers" }, answers.flatMap((one, at) => [
        element("dt", {}, questions[at] ?? `Question ${at + 1}`),
        element("dd", {}, one ? element("mark", { class: "entity", style: { "--colour": colourOf(`answer ${at}`) } }, one) : "no answer was found")])),
      element("blockquote", {}, marked(context, answers)));
  }));
}

/** A text with every answer marked where it first stands. */
function marked(context, answers) {
  const places = answers
    .map((one, index) => ({ start: one ? context.toLowerCase().indexOf(one.toLowerCase()) : -1, length: one.length, index }))
    .filter(({ start }) => start >= 0).sort((a, b) => a.start - b.start);
  const parts = [];
  let at = 0;
  for (const { start, length, index } of places) {
    if (start < at) continue;
    parts.push(context.slice(at, start), element("mark", { class: "entity", style: { "--colour": colourOf(`answer ${index}`) } }, context.slice(start, start + length)));
    at = start + length;
  }
  return [...parts, context.slice(at)];
}
