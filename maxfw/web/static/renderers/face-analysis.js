import { boxesView } from "../boxes.js";
import { element, percent } from "../elements.js";
import { bars, nothing, stage, strip } from "../views.js";

export function render({ answer, file }) {
  const faces = answer.predictions;
  if (!faces.length) return element("div", { class: "stack" }, nothing("No face was found. A lower threshold may show more."), stage(file).node);
  const numbered = faces.map((face, index) => ({ label: "face", label_id: "face", probability: 1, ...face, number: index + 1 }));
  const view = boxesView(file, numbered, { note: short, details });
  const layer = view.querySelector(".layer");
  for (const { x, y } of faces.flatMap((face) => face.landmarks ?? [])) {
    layer.append(element("span", { class: "point", style: { left: `${x * 100}%`, top: `${y * 100}%` } }));
  }
  return view;
}

function short(face) {
  const mood = face.emotion_predictions?.[0]?.label;
  const age = face.age_estimation;
  return [`${face.number}`, age === undefined ? null : `${age} years`, mood].filter(Boolean).join(" · ");
}

function details(face) {
  return [
    element("p", {}, element("strong", {}, `Face ${face.number}`), element("span", { class: "quiet" }, ` sure to ${percent(face.probability)}`)),
    face.age_estimation === undefined ? null : element("p", {}, `About ${face.age_estimation} years old`),
    face.emotion_predictions ? bars(face.emotion_predictions.map((one) => [one.label, one.probability]), { first: 3 }) : null,
    face.embedding ? strip(face.embedding, "Embedding") : null,
  ].filter(Boolean);
}
