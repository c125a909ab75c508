import { element } from "../elements.js";
import { bars, nothing, paintMask, slider, stage } from "../views.js";

export function render({ answer, file }) {
  const found = answer.predictions;
  if (!found.length) return element("div", { class: "stack" }, nothing("Nothing was found."), stage(file).node);
  const picture = stage(file, `The picture that was sent, with ${found.length} masks`);
  const canvas = element("canvas", { class: "mask", role: "img", "aria-label": `${found.length} masks` });
  picture.layer.append(canvas);
  picture.size.then(({ width, height }) => width && paintMask(canvas, mapOf(found, width, height), width, height, (id) => (id ? 255 : 0)));
  canvas.style.opacity = 0.6;
  return element("div", { class: "stack" },
    element("p", { class: "headline" }, `${found.length} found`), picture.node,
    slider("Opacity", { value: 0.6 }, (value) => { canvas.style.opacity = value; }),
    bars(found.map((one, index) => [`${one.label ?? "Number"} ${index + 1}`, one.probability]), { first: 5 }));
}

/** Runs of [start, length, …], counted down the columns from 1, → an id for each pixel, row by row. */
function mapOf(found, width, height) {
  const map = new Int32Array(width * height);
  found.forEach(({ mask }, index) => {
    for (let at = 0; at + 1 < mask.length; at += 2) {
      for (let pixel = mask[at] - 1; pixel < mask[at] - 1 + mask[at + 1]; pixel += 1) {
        map[(pixel % height) * width + Math.floor(pixel / height)] = index + 1;
      }
    }
  });
  return map;
}
