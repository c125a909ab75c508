import { element, percent } from "../elements.js";
import { colourOf } from "../colours.js";
import { legend, paintMask, slider, stage } from "../views.js";

export function render({ answer, file, labels }) {
  const rows = answer.seg_map;
  const [width, height] = [rows[0].length, rows.length];
  const map = Int32Array.from(rows.flat());
  const counts = new Map();
  map.forEach((id) => counts.set(id, (counts.get(id) ?? 0) + 1));
  const ids = [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a));
  const nameOf = (id) => labels.find((label) => Number(label.id) === id)?.name ?? `id ${id}`;
  const isGround = (id) => nameOf(id) === "background";
  ids.filter((id) => !isGround(id)).forEach(colourOf);
  const picture = stage(file);
  const canvas = element("canvas", { class: "mask", role: "img", "aria-label": `A map of ${ids.map(nameOf).join(", ")}` });
  picture.layer.append(canvas);
  let hidden = new Set(ids.filter(isGround));
  let meant = null;
  const paint = () => paintMask(canvas, map, width, height, (id) => (meant !== null && id === meant ? 255 : hidden.has(id) || (meant !== null && !hidden.has(meant)) ? 0 : 255));
  const entries = ids.map((id) => ({ key: id, name: nameOf(id), note: percent(counts.get(id) / map.length) }));
  const filter = legend(entries, (nowHidden, highlighted) => { hidden = nowHidden; meant = highlighted !== null && hidden.has(highlighted) ? null : highlighted; paint(); }, hidden);
  const opacity = slider("Opacity", { value: 0.6 }, (value) => { canvas.style.opacity = value; });
  canvas.style.opacity = 0.6;
  paint();
  return element("div", { class: "stack" }, picture.node, opacity, filter);
}
