// Boxes over a picture, with a legend that filters and a list that says the same in words.
import { colourOf } from "./colours.js";
import { element, percent } from "./elements.js";
import { bars, legend, stage } from "./views.js";

export function keyOf(prediction) {
  return String(prediction.label_id ?? prediction.label);
}

/** Draws boxes into a layer; `show(visible, highlighted)` hides those for which `visible(prediction)` is false. */
export function paintBoxes(layer, predictions, note = (one) => `${one.label}: ${Math.round(one.probability * 100)} %`) {
  const drawnBoxes = predictions.map((prediction) => {
    const [top, left, bottom, right] = prediction.detection_box;
    const node = element("div", {
      class: top < 0.07 ? "box low" : "box", style: {
        top: `${top * 100}%`, left: `${left * 100}%`, width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%`,
        "--colour": colourOf(keyOf(prediction)),
      },
    }, element("span", { class: "tag" }, note(prediction)));
    return { prediction, node };
  });
  // The surest is painted last, on top of the others.
  layer.replaceChildren(...drawnBoxes.map(({ node }) => node).reverse());
  layer.setAttribute("aria-hidden", "true");
  return (visible, highlighted) => drawnBoxes.forEach(({ prediction, node }) => {
    node.hidden = !visible(prediction);
    const isMeant = highlighted === keyOf(prediction) || highlighted === prediction;
    node.classList.toggle("bright", isMeant);
    node.classList.toggle("dim", Boolean(highlighted) && !isMeant);
  });
}

/** How often each label occurs, most often first, as entries for a legend. */
export function countsOf(predictions) {
  const counts = new Map();
  for (const one of predictions) {
    const entry = counts.get(keyOf(one)) ?? { key: keyOf(one), name: String(one.label), count: 0 };
    entry.count += 1;
    counts.set(entry.key, entry);
  }
  return [...counts.values()].sort((a, b) => b.count - a.count).map((one) => ({ ...one, note: one.count > 1 ? `×${one.count}` : "" }));
}

/** The whole view of a picture with boxes; `details(prediction)` adds what else is known about one. */
export function boxesView(file, predictions, { note, details } = {}) {
  const picture = stage(file, `The picture that was sent, with ${predictions.length} boxes`);
  const show = paintBoxes(picture.layer, predictions, note);
  const filter = legend(countsOf(predictions), (hidden, highlighted) => show((one) => !hidden.has(keyOf(one)), highlighted));
  const list = details
    ? element("ol", { class: "cards" }, predictions.map((one) => element("li", { class: "card" }, details(one))))
    : bars(predictions.map((one) => [one.label, one.probability]), { colour: (name) => colourOf(keyOf(predictions.find((one) => one.label === name))) });
  list.querySelectorAll(details ? "li.card" : ".bar-row").forEach((row, index) => {
    row.addEventListener("mouseenter", () => show(() => true, predictions[index]));
    row.addEventListener("mouseleave", () => show(() => true, null));
  });
  return element("div", { class: "stack" }, picture.node, filter, list);
}

/** Paints a picture with its boxes at full size, for download. */
export async function pictureWithBoxes(image, predictions) {
  const canvas = element("canvas", { width: image.naturalWidth, height: image.naturalHeight });
  const pen = canvas.getContext("2d");
  const unit = Math.max(canvas.width, canvas.height) / 100;
  pen.drawImage(image, 0, 0);
  pen.font = `600 ${Math.max(12, 2 * unit)}px system-ui, sans-serif`;
  pen.textBaseline = "top";
  for (const one of predictions) {
    const [top, left, bottom, right] = one.detection_box;
    const [x, y] = [left * canvas.width, top * canvas.height];
    pen.strokeStyle = pen.fillStyle = colourOf(keyOf(one));
    pen.lineWidth = Math.max(2, 0.35 * unit);
    pen.strokeRect(x, y, (right - left) * canvas.width, (bottom - top) * canvas.height);
    const name = `${one.label}: ${percent(one.probability)}`;
    const height = Math.max(16, 2.8 * unit);
    pen.fillRect(x, Math.max(0, y - height), pen.measureText(name).width + unit, height);
    pen.fillStyle = "#fff";
    pen.fillText(name, x + unit / 2, Math.max(0, y - height) + 0.3 * unit);
  }
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
