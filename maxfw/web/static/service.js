// The REST API behind the page: where it is, what it asks for, and the key that it may want.
import { element } from "./elements.js";

/** The folder of the server, whatever prefix a proxy has put before it. */
export const HOME = new URL("../", import.meta.url);

const KEY_PLACE = `maxfw key ${HOME.pathname}`;

/** An error as the server words it. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body.message || `the server answered ${status}`);
    this.status = status;
    this.code = body.code || "";
    this.hint = body.hint || "";
    this.requestId = body.request_id || "";
    this.errors = body.errors || {};
  }
}

/** The header that carries the key, if the visitor has given one. */
export function keyHeader() {
  const key = sessionStorage.getItem(KEY_PLACE);
  return key ? { Authorization: `Bearer ${key}` } : {};
}

/** Fetches `path` of the server; asks for a key, for this tab only, where the server wants one. */
export async function call(path, options = {}) {
  for (;;) {
    const key = sessionStorage.getItem(KEY_PLACE);
    const request = () => fetch(new URL(path, HOME), { ...options, headers: { ...options.headers, ...keyHeader() } });
    let response;
    try {
      // What only reads is tried twice: a server that is starting, or busy, may have dropped the connection.
      response = await request().catch((error) => (options.method ?? "GET") === "GET" && error.name !== "AbortError" ? request() : Promise.reject(error));
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refusal(0, { message: "The server cannot be reached.", hint: "Is it still running? Try again in a moment." });
    }
    if (response.status !== 401) return response;
    await askForKey(Boolean(key));
  }
}

let asking = null;

/** One dialog for all requests that wait for a key. */
function askForKey(wasWrong) {
  asking ??= new Promise((resolve) => {
    const field = element("input", { id: "key", type: "password", autocomplete: "off", required: true, "aria-describedby": "key-note" });
    const dialog = element("dialog", { id: "key-dialog", "aria-labelledby": "key-title", on: {
      cancel: (event) => event.preventDefault(),
      close: () => { sessionStorage.setItem(KEY_PLACE, field.value.trim()); dialog.remove(); asking = null; resolve(); },
    } }, element("form", { method: "dialog", class: "stack" },
      element("h2", { id: "key-title" }, "This server asks for a key"),
      wasWrong ? element("p", { class: "notice error" }, "That key was not accepted.") : null,
      element("div", { class: "field" }, element("label", { for: "key" }, "API key"), field,
        element("p", { id: "key-note", class: "quiet" }, "It is kept in this tab only, until you close it.")),
      element("div", { class: "buttons" }, element("button", { class: "primary" }, "Use it"))));
    document.body.append(dialog);
    dialog.showModal();
  });
  return asking;
}

/** The JSON at `path`; `absent` where the server has nothing there. */
export async function json(path, absent) {
  const response = await call(path);
  if (response.status === 404 && absent !== undefined) return absent;
  if (!response.ok) throw await refusalOf(response);
  return response.json();
}

export async function refusalOf(response) {
  let body = {};
  try {
    body = await response.json();
  } catch {
    body = { message: `The server answered ${response.status} without a reason.` };
  }
  return new Refusal(response.status, body);
}

/** Swagger 2.0 → what `predict` asks for. */
export function readForm(swagger) {
  const paths = Object.keys(swagger.paths).filter((path) => path.replace(/\/$/, "").endsWith("/predict"));
  const path = paths.includes("/model/predict") ? "/model/predict" : paths[0];
  const item = swagger.paths[path];
  const method = item.post ? "post" : "get";
  const all = [...(item.parameters || []), ...(item[method].parameters || [])];
  const described = all.map((parameter) => resolved(parameter, swagger)).filter((one) => one.in !== "header");
  const body = described.find((one) => one.in === "body");
  return {
    path: path.replace(/^\//, ""),
    method: method.toUpperCase(),
    files: described.filter((one) => one.type === "file"),
    body: body ? deepResolved(body.schema, swagger) : null,
    parameters: described.filter((one) => one.type !== "file" && one.in !== "body"),
  };
}

function resolved(node, swagger) {
  let target = node;
  for (let steps = 0; target.$ref && steps < 20; steps += 1) {
    target = target.$ref.slice(2).split("/").reduce((inner, step) => inner[step.replaceAll("~1", "/").replaceAll("~0", "~")], swagger);
  }
  return target;
}

function deepResolved(node, swagger, depth = 0) {
  const schema = { ...resolved(node, swagger) };
  if (depth > 6) return {};
  if (schema.items) schema.items = deepResolved(schema.items, swagger, depth + 1);
  if (schema.properties) {
    schema.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, one]) => [name, deepResolved(one, swagger, depth + 1)]),
    );
  }
  return schema;
}

/** A request as the form describes it: where it goes, and what `fetch` needs. */
export function requestOf(form, { files, body, parameters }) {
  const query = new URLSearchParams();
  let payload;
  const headers = {};
  if (form.body) {
    headers["Content-Type"] = "application/json";
    payload = JSON.stringify(body);
  } else if (form.method === "POST") {
    payload = new FormData();
    for (const [name, file] of Object.entries(files)) payload.append(name, file, file.name || name);
  }
  for (const { name, in: place } of form.parameters) {
    const value = parameters[name];
    if (value === undefined) continue;
    if (place === "formData" && payload instanceof FormData) payload.append(name, value);
    else query.append(name, value);
  }
  const ending = String(query) ? `?${query}` : "";
  return { path: form.path + ending, options: { method: form.method, headers, body: payload } };
}
