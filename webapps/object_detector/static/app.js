// The object detector's page. The model is asked once a picture, for everything; what is shown is decided here.
import { countsOf, keyOf, paintBoxes, pictureWithBoxes } from "../shared/boxes.js";
import { colourOf } from "../shared/colours.js";
import { frameOf, openCamera } from "../shared/devices.js";
import { download, element, percent } from "../shared/elements.js";
import { acceptDrops } from "../shared/picker.js";
import { ask } from "../shared/server.js";
import { bars, nothing, stage, urlOf } from "../shared/views.js";
import { shrunk } from "./pictures.js";

const $ = (id) => document.getElementById(id);
const pictures = []; // {file, predictions, error}
const filters = readFilters();
let current = null;
let repaint = () => {};
let camera = null;
let labels = [];

start();

function start() {
  $("threshold").value = filters.threshold;
  showThreshold();
  welcome();
  $("file").addEventListener("change", () => { add([...$("file").files]); $("file").value = ""; });
  $("threshold").addEventListener("input", () => { filters.threshold = Number($("threshold").value); showThreshold(); changed(); });
  $("snap").addEventListener("click", snap);
  $("live").addEventListener("click", () => (camera ? stopCamera() : live()));
  $("save-picture").addEventListener("click", savePicture);
  $("save-json").addEventListener("click", saveJson);
  document.addEventListener("paste", (event) => add([...event.clipboardData.files]));
  acceptDrops(document.body, add, { several: true });
  ask("api/model").then((model) => {
    $("model").textContent = model.name;
    labels = model.labels;
    $("known").hidden = !labels.length;
    $("known").open = matchMedia("(min-width: 861px)").matches;
    $("known").querySelector("summary").textContent = `Everything it can find: ${labels.length} kinds`;
    drawLabels();
  }).catch(show);
}

function welcome() {
  $("canvas").replaceChildren(element("div", { class: "drop" }, element("p", { class: "drop-title" }, "Drop or paste pictures here"), element("p", { class: "quiet" }, "several at once are fine")));
}

// ------------------------------------------------------------------------------------------------------- filters

/** The filters of the address: ?threshold=0.4&hide=dog&hide=car */
function readFilters() {
  const query = new URLSearchParams(location.search);
  const threshold = Number(query.get("threshold") ?? 0.5);
  return { threshold: threshold >= 0 && threshold <= 1 ? threshold : 0.5, hidden: new Set(query.getAll("hide")) };
}

function changed() {
  const query = new URLSearchParams({ threshold: filters.threshold });
  filters.hidden.forEach((label) => query.append("hide", label));
  history.replaceState(null, "", `?${query}`);
  update();
}

function showThreshold() {
  $("shown").textContent = percent(filters.threshold);
}

const isSure = (one) => one.probability > filters.threshold;
const isShown = (one) => isSure(one) && !filters.hidden.has(one.label);

/** A button for a label: click hides or shows its boxes, hover highlights them. */
function chip(key, label, note, seen) {
  const point = (value) => () => repaint(value);
  return element("button", {
    type: "button", class: seen ? "chip seen" : "chip", "aria-pressed": String(!filters.hidden.has(label)), "data-label": label, on: {
      click: () => {
        if (!filters.hidden.delete(label)) filters.hidden.add(label);
        changed();
        [...document.querySelectorAll(".chip")].find((one) => one.dataset.label === label)?.focus();
      },
      mouseenter: point(key), mouseleave: point(null), focus: point(key), blur: point(null),
    },
  }, element("span", { class: "dot", style: { background: colourOf(key) } }), label, note ? element("span", { class: "quiet" }, note) : null);
}

function drawLabels() {
  const seen = new Set((current?.predictions ?? []).filter(isSure).map((one) => one.label));
  $("labels").replaceChildren(...labels.map(({ id, name }) => chip(id, name, "", seen.has(name))));
}

// ------------------------------------------------------------------------------------------------------ pictures

async function add(files) {
  const chosen = files.filter((file) => file.type.startsWith("image/"));
  if (files.length && !chosen.length) { show({ message: "These files are no pictures.", hint: "Choose JPEG, PNG or WebP files." }); return; }
  stopCamera();
  $("problem").replaceChildren();
  const added = chosen.map((file) => ({ file, predictions: null, error: null }));
  pictures.push(...added);
  if (added.length) choose(added[0]);
  await Promise.all(added.map(detect));
}

async function detect(picture) {
  try {
    const form = new FormData();
    form.append("image", await shrunk(picture.file), "picture");
    picture.predictions = (await ask("api/detect", { method: "POST", body: form })).predictions;
    picture.error = null;
  } catch (error) {
    picture.error = error;
  }
  if (picture === current) choose(picture);
  drawStrip();
}

function choose(picture) {
  current = picture;
  $("problem").replaceChildren();
  const shown = stage(picture.file, picture.predictions ? `The picture, with ${picture.predictions.length} findings` : "The picture");
  $("canvas").replaceChildren(shown.node);
  const show = picture.predictions ? paintBoxes(shown.layer, picture.predictions) : () => {};
  repaint = (meant = null) => show(isShown, meant);
  if (picture.error) complain(picture);
  drawStrip();
  update();
}

function complain(picture) {
  show(picture.error);
  $("problem").firstElementChild.append(element("button", { type: "button", class: "small", on: { click: () => { picture.error = null; choose(picture); detect(picture); } } }, "Try again"));
}

function drawStrip() {
  if (pictures.length < 2) return;
  $("strip").replaceChildren(...pictures.map((picture, index) => element("button", {
    type: "button", "aria-pressed": String(picture === current), "aria-label": `Picture ${index + 1}: ${picture.file.name}${picture.error ? ", failed" : ""}`, on: { click: () => choose(picture) },
  }, element("img", { src: urlOf(picture.file), alt: "" }), picture.error ? element("span", { class: "mark-failed" }, "failed") : null)));
}

/** Everything that depends on the filters. */
function update() {
  const found = current?.predictions ?? [];
  repaint();
  const sure = found.filter(isSure);
  const shown = sure.filter(isShown);
  $("status").textContent = current && !current.predictions && !current.error ? "Detecting…" : "";
  $("save-picture").disabled = $("save-json").disabled = !current?.predictions;
  const best = Math.max(0, ...found.map((one) => one.probability));
  const message = !current || !current.predictions ? null
    : !found.length ? nothing("Nothing was found in this picture.")
      : !sure.length ? nothing(`Nothing is surer than ${percent(filters.threshold)}; the surest of ${found.length} has ${percent(best)}.`)
        : !shown.length ? nothing("Every kind that was found is hidden.") : null;
  const list = bars(shown.map((one) => [one.label, one.probability]), { first: 12, colour: (name) => colourOf(keyOf(shown.find((one) => one.label === name))) });
  $("found").replaceChildren(element("div", { class: "stack" }, message,
    element("div", { class: "chips", role: "group", "aria-label": "Show or hide what was found" }, countsOf(sure).map(({ key, name, note }) => chip(key, name, note, true))), shown.length ? list : null));
  if (!camera) drawLabels();
}

// -------------------------------------------------------------------------------------------------------- camera

async function snap() {
  if (camera) {
    const file = await frameOf(camera.video);
    stopCamera();
    await add([file]);
    return;
  }
  if (await startCamera()) $("snap").textContent = "Snap the picture";
}

async function startCamera() {
  $("problem").replaceChildren();
  const opened = await openCamera($("problem"));
  if (!opened) return false;
  camera = opened;
  current = null;
  const layer = element("div", { class: "layer" });
  $("canvas").replaceChildren(element("div", { class: "stage" }, camera.video, layer));
  camera.layer = layer;
  repaint = () => {};
  $("live").textContent = "Stop the camera";
  $("live").setAttribute("aria-pressed", "true");
  update();
  return true;
}

function stopCamera() {
  if (!camera) return;
  camera.stop();
  camera = null;
  $("snap").textContent = "Use your webcam";
  $("live").textContent = "Live";
  $("live").setAttribute("aria-pressed", "false");
  $("status").textContent = "";
  if (pictures.length) choose(pictures.at(-1));
  else { current = null; welcome(); update(); }
}

/** One frame after the other, each when the model has answered the last: as fast as the model can take. */
async function live() {
  if (!(await startCamera())) return;
  const mine = camera;
  const times = [];
  while (camera === mine) {
    const began = performance.now();
    const frame = await shrunk(await frameOf(mine.video), 640);
    const form = new FormData();
    form.append("image", frame, "frame.jpg");
    try {
      const { predictions } = await ask("api/detect", { method: "POST", body: form });
      if (camera !== mine) return;
      const showBoxes = paintBoxes(mine.layer, predictions);
      repaint = (meant = null) => showBoxes(isShown, meant);
      current = { file: frame, predictions, error: null };
      update();
      times.push(performance.now() - began);
      const recent = times.slice(-10);
      $("status").textContent = `${(1000 * recent.length / recent.reduce((sum, one) => sum + one, 0)).toFixed(1)} pictures a second`;
    } catch (error) {
      if (camera !== mine) return;
      stopCamera();
      show(error);
    }
  }
}

// ------------------------------------------------------------------------------------------------------ download

async function savePicture() {
  const image = element("img", { src: urlOf(current.file) });
  const shown = current.predictions.filter(isShown);
  await image.decode();
  download(await pictureWithBoxes(image, shown), "detected.png");
}

function saveJson() {
  const shown = { threshold: filters.threshold, predictions: current.predictions.filter(isShown) };
  download(new Blob([JSON.stringify(shown, null, 2)], { type: "application/json" }), "detected.json");
}

function show(error) {
  $("problem").replaceChildren(element("div", { class: "notice error" }, element("p", {}, element("strong", {}, error.message)), error.hint ? element("p", {}, error.hint) : null));
}
