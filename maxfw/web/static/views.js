// The pieces that answers are drawn with.
import { colourOf, rgb } from "./colours.js";
import { drawn, element, freshId, percent } from "./elements.js";

/** The picture that was sent, with a layer on top of it: {node, layer, size}. */
export function stage(file, alternative = "The picture that was sent") {
  const picture = element("img", { alt: alternative, class: "picture" });
  const layer = element("div", { class: "layer" });
  const node = element("div", { class: "stage" }, picture, layer);
  const size = new Promise((resolve) => {
    picture.addEventListener("load", () => resolve({ width: picture.naturalWidth, height: picture.naturalHeight }), { once: true });
    picture.addEventListener("error", () => {
      node.classList.add("blind");
      node.prepend(element("p", { class: "quiet" }, "This browser cannot show a picture of this format."));
      resolve({ width: 0, height: 0 });
    }, { once: true });
  });
  picture.src = urlOf(file);
  return { node, layer, picture, size };
}

const urls = new WeakMap();

/** An address for a file, the same for the same file, as long as the page is open. */
export function urlOf(file) {
  if (!urls.has(file)) urls.set(file, URL.createObjectURL(file));
  return urls.get(file);
}

/** Names with a bar for each probability: [[name, share], …]; more than `first` are folded away. */
export function bars(pairs, { first = 10, colour = null, ranked = true } = {}) {
  const rows = pairs.map(([name, share]) => element(
    "li", { class: "bar-row" },
    element("span", { class: "bar-name" }, name),
    element("span", { class: "bar-share" }, percent(share)),
    element("span", { class: "bar", "aria-hidden": "true" },
      element("span", { style: { width: `${Math.max(0, Math.min(1, share)) * 100}%`, ...(colour ? { background: colour(name) } : {}) } }))));
  const list = element(ranked ? "ol" : "ul", { class: "bars" }, rows.slice(0, first));
  if (rows.length <= first) return list;
  const rest = element(ranked ? "ol" : "ul", { class: "bars", start: first + 1 }, rows.slice(first));
  return element("div", {}, list, element("details", {}, element("summary", {}, `${rows.length - first} more`), rest));
}

/** A button for each label that shows and hides it: entries are [{key, name, note}]; `changed(hidden, highlighted)`. */
export function legend(entries, changed, hidden = new Set()) {
  let highlighted = null;
  const buttons = entries.map(({ key, name, note }) => {
    const point = (value) => () => { highlighted = value; changed(hidden, highlighted); };
    const button = element("button", {
      type: "button", class: "chip", "aria-pressed": String(!hidden.has(key)), on: {
        click: () => {
          if (!hidden.delete(key)) hidden.add(key);
          button.setAttribute("aria-pressed", String(!hidden.has(key)));
          changed(hidden, highlighted);
        },
        mouseenter: point(key), mouseleave: point(null), focus: point(key), blur: point(null),
      },
    }, element("span", { class: "dot", style: { background: colourOf(key) } }), name, note ? element("span", { class: "quiet" }, ` ${note}`) : null);
    return button;
  });
  return element("div", { class: "chips", role: "group", "aria-label": "Show or hide" }, buttons);
}

/** A slider with its name and value: `changed(value)` while it is moved. */
export function slider(name, { min = 0, max = 1, step = 0.01, value, written = percent }, changed) {
  const id = freshId("slider");
  const shown = element("output", { for: id }, written(value));
  const input = element("input", { type: "range", id, min, max, step, value, on: { input: () => { shown.textContent = written(Number(input.value)); changed(Number(input.value)); } } });
  // With its id: a label takes the first element inside of it that can have one, and that is the output.
  return element("div", { class: "field" }, element("label", { for: id }, name, shown), input);
}

/** Coloured ids on a canvas of their own size: `alphaOf(id)` is 0…255. */
export function paintMask(canvas, map, width, height, alphaOf) {
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  const looks = new Map();
  for (let index = 0; index < width * height; index += 1) {
    const id = map[index];
    if (!looks.has(id)) looks.set(id, [...(alphaOf(id) ? rgb(colourOf(id)) : [0, 0, 0]), alphaOf(id)]);
    pixels.data.set(looks.get(id), index * 4);
  }
  context.putImageData(pixels, 0, 0);
}

/** A list of numbers as a strip of cells: blue below zero, orange above. */
export function strip(vector, name) {
  const most = Math.max(1e-9, ...vector.map(Math.abs));
  const canvas = element("canvas", { width: vector.length, height: 1, class: "strip", role: "img", "aria-label": `${name}: ${vector.length} numbers` });
  const context = canvas.getContext("2d");
  vector.forEach((value, index) => {
    const [red, green, blue] = value < 0 ? [57, 73, 198] : [226, 110, 20];
    context.fillStyle = `rgba(${red},${green},${blue},${Math.abs(value) / most})`;
    context.fillRect(index, 0, 1, 1);
  });
  return element("figure", { class: "vector" }, canvas, element("figcaption", { class: "quiet" }, `${name} · ${vector.length} numbers · ${Math.min(...vector).toPrecision(3)} … ${Math.max(...vector).toPrecision(3)}`));
}

/** A sound: its player and its waveform; `marks` are [{from, to, name}] in seconds. */
export function waveform(file, marks = []) {
  const canvas = element("canvas", { class: "wave", width: 900, height: 140, role: "img", "aria-label": "The waveform of the sound" });
  const layer = element("div", { class: "layer", "aria-hidden": "true" });
  const player = element("audio", { controls: true, src: urlOf(file), "aria-label": "The sound that was sent" });
  const node = element("div", { class: "stack" }, element("div", { class: "stage wide-stage" }, canvas, layer), player);
  drawWave(canvas, file).then((seconds) => {
    layer.append(...marks.map(({ from, to, name }) => element("div", {
      class: "mark", style: { left: `${(100 * from) / seconds}%`, width: `${(100 * (Math.min(to ?? seconds, seconds) - from)) / seconds}%`, "--colour": colourOf(name) },
    }, element("span", {}, name))));
  }).catch(() => canvas.replaceWith(element("p", { class: "quiet" }, "This browser cannot draw a sound of this format.")));
  return node;
}

async function drawWave(canvas, file) {
  const context = new OfflineAudioContext(1, 1, 16000);
  const sound = await context.decodeAudioData(await file.arrayBuffer());
  const samples = sound.getChannelData(0);
  const pen = canvas.getContext("2d");
  pen.fillStyle = getComputedStyle(document.body).getPropertyValue("--accent") || "#3949c6";
  const step = Math.max(1, Math.floor(samples.length / canvas.width));
  for (let x = 0; x < canvas.width; x += 1) {
    let most = 0;
    for (let index = x * step; index < (x + 1) * step && index < samples.length; index += 1) most = Math.max(most, Math.abs(samples[index]));
    const height = Math.max(1, most * canvas.height);
    pen.fillRect(x, (canvas.height - height) / 2, 1, height);
  }
  return sound.duration;
}

/** Lines over a common axis: series are [{name, values}]. */
export function lineChart(series, { width = 720, height = 260 } = {}) {
  const all = series.flatMap(({ values }) => values).filter(Number.isFinite);
  const [least, most] = [Math.min(...all), Math.max(...all)];
  const longest = Math.max(...series.map(({ values }) => values.length));
  const x = (index) => 56 + (index * (width - 72)) / Math.max(1, longest - 1);
  const y = (value) => height - 32 - ((value - least) * (height - 52)) / (most - least || 1);
  const guides = [least, (least + most) / 2, most].map((value) => drawn("g", { class: "guide" },
    drawn("line", { x1: 56, x2: width - 16, y1: y(value), y2: y(value) }),
    drawn("text", { x: 50, y: y(value) + 4, "text-anchor": "end" }, value.toPrecision(4))));
  const lines = series.map(({ name, values }) => values.length === 1
    ? drawn("circle", { cx: x(0), cy: y(values[0]), r: 4, fill: colourOf(name) })
    : drawn("polyline", { points: values.map((value, index) => `${x(index)},${y(value)}`).join(" "), stroke: colourOf(name) }));
  const ends = [drawn("text", { x: 56, y: height - 10 }, "1"), drawn("text", { x: width - 16, y: height - 10, "text-anchor": "end" }, String(longest))];
  return drawn("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `A chart of ${series.length} lines, from ${least.toPrecision(4)} to ${most.toPrecision(4)}` }, guides, lines, ends);
}

/** A button that copies a text. */
export function copyButton(text) {
  const button = element("button", { type: "button", class: "small", on: { click: async () => {
    await navigator.clipboard.writeText(text());
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  } } }, "Copy");
  return button;
}

export function nothing(message) {
  return element("p", { class: "notice" }, message);
}
