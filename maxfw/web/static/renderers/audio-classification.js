import { call, refusalOf, requestOf } from "../service.js";
import { colourOf } from "../colours.js";
import { element } from "../elements.js";
import { bars, waveform } from "../views.js";

const MOST_PARTS = 24;

export function render({ answer, file, files, form, parameters }) {
  const start = Number(parameters.start_time ?? 0);
  const [best] = answer.predictions;
  const view = element("div", { class: "stack" },
    element("p", { class: "headline" }, best?.label ?? "nothing was recognised"),
    waveform(file, best ? [{ from: start, name: best.label }] : []),
    bars(answer.predictions.map((one) => [one.label, one.probability])));
  if (!form.parameters.some(({ name }) => name === "start_time")) return view;
  const place = element("div");
  const button = element("button", { type: "button", class: "small", on: { click: () => { button.disabled = true; overTime(place, { file, files, form, parameters }).finally(() => { button.disabled = false; }); } } }, "Ask for every part of the sound");
  view.append(element("div", { class: "buttons" }, button), place);
  return view;
}

/** Asks for one part after the other, and draws what each was taken for. */
async function overTime(place, { file, files, form, parameters }) {
  place.replaceChildren(element("p", { class: "quiet", role: "status" }, "Asking…"));
  const context = new OfflineAudioContext(1, 1, 16000);
  const { duration } = await context.decodeAudioData(await file.arrayBuffer());
  const step = Math.max(1, duration / MOST_PARTS);
  const lasting = form.parameters.some(({ name }) => name === "duration") ? { duration: step.toFixed(2) } : {};
  const marks = [];
  for (let from = 0; from + 0.5 < duration; from += step) {
    const { path, options } = requestOf(form, { files, parameters: { ...parameters, start_time: from.toFixed(2), ...lasting } });
    const response = await call(path, options);
    if (!response.ok) {
      place.replaceChildren(element("p", { class: "notice error" }, (await refusalOf(response)).message));
      return;
    }
    const [best] = (await response.json()).predictions;
    if (best) marks.push({ from, to: from + step, name: best.label, share: best.probability });
  }
  place.replaceChildren(element("ol", { class: "timeline" }, marks.map(({ from, to, name }) => element("li", { style: { "flex-grow": to - from, "--colour": colourOf(name) } }, element("span", {}, name), element("small", {}, `${from.toFixed(1)} s`)))));
}
