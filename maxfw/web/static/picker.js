// Chooses a file: drop, paste, choose, or take it with the camera or the microphone.
import { bytes, element, freshId } from "./elements.js";
import { canRecord, recordSound, takePicture } from "./devices.js";
import { words } from "./fields.js";

const KINDS = {
  image: { accept: "image/*", noun: "a picture" },
  audio: { accept: "audio/*,.wav,.flac,.ogg,.mp3", noun: "a sound" },
  other: { accept: "", noun: "a file" },
};

/** What kind of file a field takes, as far as its name and description tell. */
export function kindOf(field) {
  const about = `${field.name} ${field.description || ""}`.toLowerCase();
  if (/image|picture|photo|jpe?g|png/.test(about)) return "image";
  return /audio|sound|clip|speech|wav/.test(about) ? "audio" : "other";
}

/** A field for a file: {node, get(), set(file)}; `chosen(file)` is called for what a person chooses. */
export function filePicker(field, limits, chosen) {
  const kind = kindOf(field);
  const id = freshId("file");
  let current = null;
  const input = element("input", { type: "file", id, accept: KINDS[kind].accept, class: "visually-hidden", "aria-describedby": `${id}-limits` });
  const shown = element("p", { class: "chosen" });
  const device = element("div", { class: "device" });
  const set = (file) => {
    current = file;
    shown.replaceChildren(...(file ? [element("strong", {}, file.name), element("span", { class: "quiet" }, ` ${bytes(file.size)}`)] : []));
  };
  const take = (file) => { set(file); chosen(file); };
  input.addEventListener("change", () => { if (input.files[0]) take(input.files[0]); input.value = ""; });
  const zone = element("div", { class: "drop" },
    element("p", { class: "drop-title" }, field.required ? `Drop or paste ${KINDS[kind].noun}` : `Drop ${KINDS[kind].noun}`),
    shown,
    element("div", { class: "buttons" },
      input, element("label", { for: id, class: "button" }, "Choose a file", element("span", { class: "visually-hidden" }, ` for ${words(field.name)}`)),
      deviceButton(kind, device, take),
      field.required ? null : element("button", { type: "button", class: "small", on: { click: () => take(null) } }, "Clear")));
  acceptDrops(zone, take);
  return {
    node: element("div", { class: "field" },
      element("p", { class: "label" }, words(field.name), field.required ? null : element("span", { class: "quiet" }, " optional")),
      zone, device,
      element("p", { class: "quiet", id: `${id}-limits` }, limitsText(limits) || field.description || "")),
    kind, limits, name: field.name, required: field.required, get: () => current, set, take,
  };
}

function deviceButton(kind, place, take) {
  if (kind === "image") return element("button", { type: "button", on: { click: () => takePicture(place, take) } }, "Use the camera");
  if (kind === "audio" && canRecord()) return element("button", { type: "button", on: { click: () => recordSound(place, take) } }, "Record");
  return null;
}

/** Lets files be dropped on a node. */
export function acceptDrops(zone, take, { several = false } = {}) {
  zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("over"); });
  zone.addEventListener("dragleave", () => zone.classList.remove("over"));
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    zone.classList.remove("over");
    const files = [...event.dataTransfer.files];
    if (several) take(files);
    else if (files[0]) take(files[0]);
  });
}

/** "JPEG, PNG · up to 20 MB · up to 50 megapixels". */
export function limitsText(limits) {
  if (!limits) return "";
  return [
    limits.formats?.join(", "),
    limits.bytes && `up to ${bytes(limits.bytes)}`,
    limits.pixels && `up to ${Number((limits.pixels / 1e6).toFixed(1))} megapixels`,
    limits.seconds && `up to ${limits.seconds} s`,
    limits.rows && `up to ${limits.rows} rows`,
  ].filter(Boolean).join(" · ");
}
