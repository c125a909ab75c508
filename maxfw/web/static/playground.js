// The playground: built from /swagger.json, /model/metadata and /model/labels alone.
import { bytes, element } from "./elements.js";
import { bodyFields, parameterField } from "./fields.js";
import { filePicker } from "./picker.js";
import { call, json, readForm, Refusal, refusalOf, requestOf } from "./service.js";
import { snippets } from "./snippets.js";
import { codeTabs } from "./tabs.js";
import { guessedTask } from "./tasks.js";
import { urlOf } from "./views.js";

const $ = (id) => document.getElementById(id);
const code = codeTabs(["JSON", "curl", "Python", "JavaScript"]);
let page = null; // {form, metadata, labels, pickers, body, parameters} once the server has told
let running = null;

start().catch(show);

async function start() {
  $("code").append(code.node);
  $("view").append(element("p", { class: "empty" }, "The answer will be drawn here."));
  const [swagger, metadata, labels] = await Promise.all([json("swagger.json"), json("model/metadata"), json("model/labels", { labels: [] })]);
  const form = readForm(swagger);
  introduce(metadata, labelsOf(labels));
  page = { form, metadata, labels: labelsOf(labels), ...controls(form, metadata) };
  $("inputs").append(...page.pickers.map(({ node }) => node), ...(page.body ? [page.body.node] : []));
  if (page.parameters.length) $("parameters").append(element("h3", {}, "Parameters"), ...page.parameters.map(({ node }) => node));
  $("form").addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  $("form").addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) ask(); });
  document.addEventListener("paste", paste);
  describe();
  offer(await json("app/samples", []).catch(() => []));
}

/** `{labels: [{id, name}]}`, a bare list, or `{labels: {name: description}}`: all of them were answered in 2019. */
function labelsOf(answer) {
  const found = Array.isArray(answer) ? answer : answer.labels ?? [];
  return Array.isArray(found) ? found : Object.keys(found).map((name) => ({ id: name, name }));
}

function introduce(metadata, labels) {
  document.title = `${metadata.name} · playground`;
  $("name").textContent = metadata.name;
  $("short-name").textContent = metadata.name;
  $("description").textContent = metadata.description ?? "";
  const source = /^https?:\/\//.test(metadata.source ?? "") ? element("a", { href: metadata.source, rel: "noreferrer" }, "source") : null;
  const facts = [metadata.type, metadata.license && `licence ${metadata.license}`, labels.length > 1 ? `${labels.length} labels` : "", metadata.version && `maxfw ${metadata.version}`, source];
  $("facts").replaceChildren(...facts.filter(Boolean).map((fact) => element("li", {}, fact)));
}

function controls(form, metadata) {
  const changed = () => { describe(); $("ask").classList.add("stale"); };
  return {
    pickers: form.files.map((field) => filePicker(field, metadata.limits?.[field.name], (file) => { describe(); if (file || !field.required) ask(); })),
    body: form.body ? bodyFields(form.body, changed) : null,
    parameters: form.parameters.map((parameter) => ({ ...parameterField(parameter, changed), name: parameter.name, default: parameter.default })),
  };
}

/** What is in the form now, as far as it is filled in. */
function entered() {
  const files = Object.fromEntries(page.pickers.map((one) => [one.name, one.get()]).filter(([, file]) => file));
  const parameters = Object.fromEntries(page.parameters.map((one) => [one.name, one.get()]).filter(([, value]) => value !== undefined));
  return { files, body: page.body?.get() ?? {}, parameters };
}

/** The request as programs write it; files that are not chosen yet have a name to replace. */
function describe() {
  const { files, body, parameters } = entered();
  const wanted = Object.fromEntries(page.pickers.filter((one) => one.required).map((one) => [one.name, { name: { image: "photo.jpg", audio: "sound.wav" }[one.kind] ?? "file" }]));
  const changed = Object.fromEntries(page.parameters.filter((one) => parameters[one.name] !== undefined && String(parameters[one.name]) !== String(one.default)).map((one) => [one.name, parameters[one.name]]));
  code.fill(snippets(page.form, { files: { ...wanted, ...files }, body, parameters: changed }));
}

async function ask() {
  running?.abort();
  const mine = new AbortController();
  running = mine;
  const content = entered();
  $("problem").replaceChildren();
  try {
    complain(content);
    busy(true);
    const began = performance.now();
    const { path, options } = requestOf(page.form, content);
    const response = await call(path, { ...options, signal: mine.signal });
    if (!response.ok) throw await refusalOf(response);
    const blob = await response.blob();
    const seconds = (performance.now() - began) / 1000;
    await draw(blob, response.headers.get("Content-Type") ?? "", content);
    $("ask").classList.remove("stale");
    busy(false, `Answered in ${seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`}`);
  } catch (error) {
    if (error.name === "AbortError") return;
    busy(false);
    show(error);
  }
}

/** What can be said before anything is sent. */
function complain({ files }) {
  for (const { name, required, limits } of page.pickers) {
    const file = files[name];
    if (!file && required) throw new Refusal(0, { message: `Choose a file for “${name}” first.`, hint: "Drop one, paste one, or click a sample." });
    if (file && limits?.bytes && file.size > limits.bytes) {
      throw new Refusal(0, { message: `${file.name} has ${bytes(file.size)}; this server takes up to ${bytes(limits.bytes)}.`, hint: "Nothing was sent. Choose a smaller file." });
    }
  }
}

async function draw(blob, type, { files, body, parameters }) {
  const isJson = type.includes("json");
  const text = isJson ? await blob.text() : "";
  const answer = isJson ? JSON.parse(text) : null;
  const media = isJson ? null : blob;
  code.fill({ JSON: isJson ? shortened(JSON.stringify(answer, null, 2)) : `The answer is no JSON but a file: ${type}, ${bytes(blob.size)}` });
  const task = page.metadata.task ?? guessedTask(answer, media);
  const { render } = await rendererOf(task);
  const file = page.pickers.length ? files[page.pickers[0].name] : null;
  const context = { answer, media, file, files, body, parameters, labels: page.labels, form: page.form };
  let view;
  try {
    view = render(context);
  } catch (error) {
    console.error(error);
    view = (await import("./renderers/json.js")).render(context);
  }
  $("view").replaceChildren(view);
}

/** A renderer is a file named as its task; a task without one gets its JSON shown. */
async function rendererOf(task) {
  if (/^[a-z]+(-[a-z]+)*$/.test(task ?? "")) {
    try {
      return await import(`./renderers/${task}.js`);
    } catch {
      // no renderer for this task
    }
  }
  return import("./renderers/json.js");
}

const MOST_SHOWN = 60_000;

function shortened(text) {
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}\n… ${bytes(text.length - MOST_SHOWN)} more` : text;
}

function show(error) {
  const refusal = error instanceof Refusal ? error : new Refusal(0, { message: error.message });
  const details = [refusal.status && `HTTP ${refusal.status}`, refusal.code, refusal.requestId && `request ${refusal.requestId}`].filter(Boolean).join(" · ");
  const fields = Object.entries(refusal.errors).map(([name, reason]) => element("p", {}, `${name}: ${reason}`));
  $("problem").replaceChildren(element("div", { class: "notice error" }, element("p", {}, element("strong", {}, refusal.message)), fields,
    refusal.hint ? element("p", {}, refusal.hint) : null, details ? element("p", { class: "quiet" }, details) : null));
}

function busy(isBusy, message = "") {
  $("answer").setAttribute("aria-busy", String(isBusy));
  $("view").classList.toggle("waiting", isBusy);
  $("status").textContent = isBusy ? "Asking the model…" : message;
}

function paste(event) {
  const file = [...event.clipboardData.files][0];
  if (!file || !page.pickers.length) return;
  event.preventDefault();
  page.pickers[0].take(file);
}

/** The samples of the model, to click. */
function offer(samples) {
  if (!samples.length) return;
  const buttons = samples.map((sample) => {
    const [main] = Object.entries(sample.files);
    const isPicture = main && page.pickers[0]?.kind === "image";
    const name = sample.name.replaceAll(/[-_]/g, " ");
    return element("button", { type: "button", class: isPicture ? "sample thumb" : "sample", on: { click: () => use(sample) } },
      isPicture ? element("img", { src: main[1], alt: "", loading: "lazy" }) : null, element("span", {}, name));
  });
  $("samples").replaceChildren(element("h3", { class: "label" }, "Try a sample"), element("div", { class: "samples" }, buttons));
}

async function use(sample) {
  try {
    for (const picker of page.pickers) {
      const address = sample.files[picker.name];
      picker.set(address ? await fetched(address, sample.name) : null);
    }
    page.body?.set(sample.body);
    for (const one of page.parameters) one.set(sample.parameters[one.name] ?? one.default);
    describe();
    await ask();
  } catch (error) {
    show(error);
  }
}

async function fetched(address, name) {
  const response = await call(`app/${address}`);
  if (!response.ok) throw await refusalOf(response);
  const blob = await response.blob();
  const ending = { "image/jpeg": ".jpg", "image/png": ".png", "audio/wav": ".wav", "audio/x-wav": ".wav", "text/csv": ".csv" }[blob.type] ?? "";
  const file = new File([blob], name + ending, { type: blob.type });
  urlOf(file);
  return file;
}
