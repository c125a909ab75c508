// The gallery: a card for every model of `models.json`, [{url, app?, name?, task?, description?, license?, state?}].
// Where the list says no state, the page asks the model itself; a list can so be a plain file beside it.
import { element } from "./elements.js";

const LOOK_AGAIN_MS = 10_000;
const STATES = { ready: "ready", loading: "not ready", away: "away" };

const $ = (id) => document.getElementById(id);
let models = [];

$("find").addEventListener("input", draw);
look();

async function look() {
  try {
    const response = await fetch("models.json");
    if (!response.ok) throw new Error(`The list of models could not be read: ${response.status}`);
    models = await Promise.all((await response.json()).map(described));
    $("problem").replaceChildren();
    draw();
  } catch (error) {
    $("problem").replaceChildren(element("p", { class: "notice error" }, error.message));
  }
  setTimeout(look, LOOK_AGAIN_MS);
}

async function described(model) {
  if (model.state) return model;
  const home = model.url.replace(/\/?$/, "/");
  try {
    const [card, ready] = await Promise.all([fetch(`${home}model/metadata`), fetch(`${home}health/ready`)]);
    if (!card.ok) return { ...model, state: "away" };
    return { ...(await card.json()), ...model, state: ready.ok ? "ready" : "loading" };
  } catch {
    return { ...model, state: "away" };
  }
}

function draw() {
  const sought = $("find").value.trim().toLowerCase();
  const text = ({ name, task, type, description }) => [name, task, type, description].join(" ").toLowerCase();
  const found = models.filter((model) => text(model).includes(sought)).sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
  const ready = models.filter(({ state }) => state === "ready").length;
  $("count").textContent = `${ready} of ${models.length} ready`;
  $("models").replaceChildren(...found.map(card));
  if (!found.length) $("models").append(element("li", { class: "empty" }, models.length ? "No model fits." : "No model is running."));
}

const nameOf = (model) => String(model.name || model.url);

function card(model) {
  const home = /^(https?:\/\/|[\w.-]+\/|\/)/.test(model.url) ? model.url.replace(/\/?$/, "/") : null;
  const link = (path, words) => element("a", { href: path, class: "button", "aria-label": `${words} of ${nameOf(model)}` }, words);
  return element("li", { class: "panel model" },
    element("div", { class: "model-head" }, element("h2", {}, nameOf(model)), element("span", { class: `state ${STATES[model.state] ? model.state : ""}` }, STATES[model.state] ?? "unknown")),
    element("p", { class: "quiet" }, [model.type || model.task, model.license].filter(Boolean).join(" · ")),
    element("p", { class: "model-text" }, model.description || (model.state === "away" ? `Nothing answers at ${model.url}` : "")),
    home ? element("div", { class: "buttons" }, link(`${home}app/`, "Playground"), link(home, "API"), model.app ? link(model.app, "Web app") : null) : null);
}
