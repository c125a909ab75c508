// The caption gallery's page.
import { element } from "../shared/elements.js";
import { acceptDrops } from "../shared/picker.js";
import { ask, sent } from "../shared/server.js";
import { bars } from "../shared/views.js";
import { wordsOf } from "./words.js";

const AT_ONCE = 4; // uploads
const LOOK_AGAIN_MS = 2000; // while photos wait for their captions

const $ = (id) => document.getElementById(id);
let photos = [];
const selected = new Set();
const seen = new Set();
const uploads = []; // {file, share, problem, waits}
let sending = 0;

start();

function start() {
  $("file").addEventListener("change", () => { add([...$("file").files]); $("file").value = ""; });
  acceptDrops(document.body, add, { several: true });
  document.addEventListener("paste", (event) => add([...event.clipboardData.files]));
  $("all").addEventListener("click", () => { photos.forEach(({ id }) => selected.add(id)); draw(); });
  $("none").addEventListener("click", () => { selected.clear(); draw(); });
  $("delete").addEventListener("click", deleteMine);
  refresh();
}

async function refresh() {
  try {
    photos = (await ask("api/photos")).photos;
    for (const { id } of photos) if (!seen.has(id)) { seen.add(id); selected.add(id); }
    draw();
  } catch (error) {
    show(error);
  }
  if (photos.some(({ state }) => state === "waiting" || state === "asking")) setTimeout(refresh, LOOK_AGAIN_MS);
}

// -------------------------------------------------------------------------------------------------------- uploads

function add(files) {
  $("problem").replaceChildren();
  for (const file of files) uploads.unshift({ file, address: URL.createObjectURL(file), share: 0, problem: "", waits: true });
  draw();
  next();
}

/** Sends what waits, a few at a time. */
function next() {
  for (const upload of uploads.filter((one) => one.waits)) {
    if (sending >= AT_ONCE) return;
    upload.waits = false;
    sending += 1;
    const form = new FormData();
    form.append("image", upload.file, upload.file.name);
    sent("api/photos", form, (share) => { upload.share = share; upload.redraw(); })
      .then((photo) => arrived(upload, photo), (error) => { upload.problem = [error.message, error.hint].filter(Boolean).join(" "); })
      .finally(() => { sending -= 1; draw(); next(); });
  }
}

function arrived(upload, photo) {
  forget(upload);
  photos = [photo, ...photos.filter(({ id }) => id !== photo.id)];
  seen.add(photo.id);
  selected.add(photo.id);
}

function forget(upload) {
  uploads.splice(uploads.indexOf(upload), 1);
  URL.revokeObjectURL(upload.address);
}

function uploadTile(upload) {
  const words = element("p", { class: "quiet" });
  const bar = element("progress", { max: 1, "aria-label": `Upload of ${upload.file.name}` });
  upload.redraw = () => {
    if (upload.share < 1) bar.value = upload.share;
    else bar.removeAttribute("value");
    words.textContent = upload.waits ? "Waits for its turn" : upload.share < 1 ? "Sending…" : "The model is looking…";
  };
  upload.redraw();
  const again = () => { Object.assign(upload, { waits: true, share: 0, problem: "" }); draw(); next(); };
  const text = upload.problem
    ? [element("p", { class: "notice error", role: "alert" }, upload.problem), element("div", { class: "buttons" },
      element("button", { type: "button", class: "small", on: { click: again } }, "Try again"),
      element("button", { type: "button", class: "small", on: { click: () => { forget(upload); draw(); } } }, "Dismiss"))]
    : [bar, words];
  return element("li", { class: "tile upload" },
    element("div", { class: "look" }, element("img", { src: upload.address, alt: "", on: { error: (event) => event.target.remove() } })),
    element("div", { class: "tile-text" }, element("p", { class: "quiet" }, upload.file.name), text));
}

// -------------------------------------------------------------------------------------------------------- gallery

const captionOf = (photo) => photo.captions[0]?.caption ?? "";

function photoTile(photo) {
  const tick = element("input", { type: "checkbox", "data-id": photo.id, "aria-label": `Select ${captionOf(photo) || photo.name}`, on: { change: () => { if (tick.checked) selected.add(photo.id); else selected.delete(photo.id); draw(); } } });
  tick.checked = selected.has(photo.id);
  const look = element("button", { type: "button", class: "look", "aria-label": `Top captions of ${photo.name}`, on: { click: () => detail(photo) } },
    element("img", { src: `photos/${photo.id}/small.jpg`, alt: captionOf(photo) || photo.name, loading: "lazy" }));
  const remove = photo.mine ? element("button", { type: "button", class: "small danger", "aria-label": `Delete ${photo.name}`, on: { click: () => change(`api/photos/${photo.id}`, "DELETE") } }, "Delete") : null;
  return element("li", { class: selected.has(photo.id) ? "tile" : "tile unselected" }, look,
    element("label", { class: "tick" }, tick), photo.mine ? element("span", { class: "yours" }, "yours") : null,
    element("div", { class: "tile-text" }, stateOf(photo), remove ? element("div", {}, remove) : null));
}

function stateOf(photo) {
  if (photo.state === "done") return [element("p", { class: "tile-caption" }, captionOf(photo))];
  if (photo.state === "failed") {
    return [element("p", { class: "notice error" }, photo.problem || "No caption could be had."),
      element("div", {}, element("button", { type: "button", class: "small", on: { click: () => change(`api/photos/${photo.id}/caption`, "POST") } }, "Try again"))];
  }
  return [element("p", { class: "quiet" }, photo.problem ? `${photo.problem} It is asked again soon.` : "The model is looking…")];
}

function draw() {
  const focused = document.activeElement?.dataset?.id;
  $("gallery").replaceChildren(...uploads.map(uploadTile), ...photos.map(photoTile));
  if (focused) [...document.querySelectorAll(".tick input")].find((one) => one.dataset.id === focused)?.focus();
  const chosen = photos.filter(({ id }) => selected.has(id));
  $("count").textContent = photos.length ? `${chosen.length} of ${photos.length} selected` : "";
  $("delete").hidden = !photos.some(({ mine }) => mine);
  if (!photos.length && !uploads.length) $("gallery").append(element("li", { class: "empty" }, "No photos yet. Drop some here."));
  drawWords(chosen);
}

function drawWords(chosen) {
  const counts = wordsOf(chosen.map(captionOf));
  if (!counts.length) { $("words").replaceChildren(element("p", { class: "quiet" }, "Select photos to see the words of their captions.")); return; }
  const most = counts[0][1];
  // The frequent ones stand in the middle.
  const arranged = counts.reduce((row, one, index) => (index % 2 ? [one, ...row] : [...row, one]), []);
  $("words").replaceChildren(element("div", { class: "cloud", role: "group", "aria-label": "Words of the captions" }, arranged.map(([word, count]) => {
    const times = `${count} ${count === 1 ? "photo" : "photos"}`;
    const size = 0.85 + 1.5 * Math.sqrt((count - 1) / Math.max(1, most - 1));
    return element("button", { type: "button", "aria-label": `${word}: ${times}`, title: times, style: { "font-size": `${size.toFixed(2)}rem` }, on: { click: () => narrow(word) } }, word);
  })), element("p", { class: "quiet" }, "Click a word to keep only the photos with it."));
}

function narrow(word) {
  for (const photo of photos) if (!wordsOf([captionOf(photo)]).some(([one]) => one === word)) selected.delete(photo.id);
  draw();
}

function detail(photo) {
  const close = element("button", { type: "button", on: { click: () => dialog.close() } }, "Close");
  const dialog = element("dialog", { class: "detail", "aria-labelledby": "detail-title", on: { close: () => dialog.remove(), click: (event) => event.target === dialog && dialog.close() } },
    element("div", { class: "stack" },
      element("img", { src: `photos/${photo.id}/large.jpg`, alt: captionOf(photo) || photo.name }),
      element("h2", { id: "detail-title" }, photo.captions.length ? "Top captions" : photo.name),
      photo.captions.length ? bars(photo.captions.map((one) => [one.caption, one.probability])) : element("p", {}, photo.problem || "There is no caption yet."),
      element("p", { class: "quiet" }, photo.name), element("div", { class: "buttons" }, close)));
  document.body.append(dialog);
  dialog.showModal();
}

/** Asks the server to change something, and looks at what it has then. */
async function change(path, method) {
  $("problem").replaceChildren();
  try {
    await ask(path, { method });
  } catch (error) {
    show(error);
  }
  await refresh();
}

function deleteMine() {
  const count = photos.filter(({ mine }) => mine).length;
  if (confirm(`Delete your ${count} ${count === 1 ? "photo" : "photos"}?`)) change("api/photos", "DELETE");
}

function show(error) {
  $("problem").replaceChildren(element("div", { class: "notice error" }, element("p", {}, element("strong", {}, error.message)), error.hint ? element("p", {}, error.hint) : null));
}
