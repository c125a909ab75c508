// Controls made from schemas: a control is {node, get(), set(value)}; `get()` is undefined where nothing was entered.
import { element, freshId } from "./elements.js";

/** The control for a parameter of Swagger 2.0, its label and description around it. */
export function parameterField(parameter, changed) {
  const id = freshId("parameter");
  const control = plain(parameter, id, changed);
  if (parameter.default !== undefined) control.set(parameter.default);
  const note = [parameter.description, parameter.required ? "required" : ""].filter(Boolean).join(" · ");
  control.input?.setAttribute("aria-describedby", `${id}-note`);
  const node = element(
    "div", { class: "field" },
    element("label", { for: id }, words(parameter.name), control.shown ?? null),
    control.node,
    note ? element("p", { class: "quiet", id: `${id}-note` }, note) : element("p", { id: `${id}-note`, hidden: true }),
  );
  return { ...control, node };
}

/** The controls for a JSON body, by the names of its fields. */
export function bodyFields(schema, changed) {
  const fields = Object.entries(schema.properties || {}).map(([name, one]) => [name, bodyField(name, one, changed)]);
  return {
    node: element("div", { class: "stack" }, fields.map(([, field]) => field.node)),
    get: () => Object.fromEntries(fields.map(([name, field]) => [name, field.get()]).filter(([, value]) => value !== undefined)),
    set: (value) => fields.forEach(([name, field]) => name in value && field.set(value[name])),
  };
}

function bodyField(name, schema, changed) {
  if (schema.type === "array" && schema.items) return several(name, schema.items, changed);
  if (schema.type === "object" && schema.properties) {
    const inner = bodyFields(schema, changed);
    return { ...inner, node: element("fieldset", { class: "group" }, element("legend", {}, words(name)), inner.node) };
  }
  return parameterField({ ...schema, name, long: schema.type === "string" && !schema.enum }, changed);
}

/** A list whose entries can be added and taken away. */
function several(name, items, changed) {
  const list = element("div", { class: "stack" });
  const singular = words(name).replace(/s$/, "");
  let fields = [];
  const renumber = () => fields.forEach((field, index) => field.number(index + 1));
  function add(value) {
    const field = items.type === "object" ? bodyField(singular, items, changed) : parameterField({ ...items, name: singular, long: items.type === "string" }, changed);
    const remove = element("button", { type: "button", class: "small", on: { click: () => {
      fields = fields.filter((one) => one !== entry);
      node.remove();
      renumber();
      changed();
    } } }, "Remove");
    const node = element("div", { class: "entry" }, field.node, remove);
    const entry = { ...field, number: (position) => {
      remove.hidden = fields.length === 1;
      remove.setAttribute("aria-label", `Remove ${singular} ${position}`);
      const label = field.node.querySelector("label, legend");
      label.textContent = fields.length > 1 ? `${singular} ${position}` : singular;
    } };
    fields.push(entry);
    list.append(node);
    if (value !== undefined) field.set(value);
    renumber();
  }
  const more = element("button", { type: "button", class: "small", on: { click: () => { add(); changed(); list.lastElementChild.querySelector("textarea, input")?.focus(); } } }, `Add ${singular.toLowerCase()}`);
  add();
  return {
    node: element("div", { class: "stack" }, list, element("div", {}, more)),
    get: () => { const values = fields.map((field) => field.get()).filter((value) => value !== undefined && value !== ""); return values.length ? values : undefined; },
    set: (values) => { fields = []; list.replaceChildren(); (values.length ? values : [undefined]).forEach(add); },
  };
}

function plain(schema, id, changed) {
  const choices = schema.enum ?? schema.items?.enum;
  if (choices && schema.type !== "array") return choice(schema, choices, id, changed);
  if (schema.type === "boolean") return choice(schema, ["true", "false"], id, changed);
  if (schema.type === "integer" || schema.type === "number") {
    return schema.minimum !== undefined && schema.maximum !== undefined && schema.default !== undefined && schema.default !== null
      ? slider(schema, id, changed) : number(schema, id, changed);
  }
  return text(schema, id, changed);
}

function choice(schema, choices, id, changed) {
  const empty = schema.default === undefined || schema.default === null;
  const input = element("select", { id, on: { change: changed } },
    empty ? element("option", { value: "" }, schema.required ? "Choose…" : "not set") : null,
    choices.map((one) => element("option", { value: String(one) }, String(one))));
  return { node: input, input, get: () => input.value || undefined, set: (value) => { input.value = String(value ?? ""); } };
}

function slider(schema, id, changed) {
  const whole = schema.type === "integer";
  const span = schema.maximum - schema.minimum;
  const step = whole ? 1 : span / 100;
  const shown = element("output", { for: id });
  const show = () => { shown.textContent = String(Number(input.value)); };
  const input = element("input", {
    type: "range", id, min: schema.minimum, max: schema.maximum, step, on: { input: show, change: changed },
  });
  return { node: input, input, shown, get: () => Number(input.value), set: (value) => { input.value = value; show(); } };
}

function number(schema, id, changed) {
  const input = element("input", {
    type: "number", id, min: schema.minimum, max: schema.maximum, step: schema.type === "integer" ? 1 : "any", on: { change: changed },
  });
  return { node: input, input, get: () => (input.value === "" ? undefined : Number(input.value)), set: (value) => { input.value = value ?? ""; } };
}

function text(schema, id, changed) {
  const isList = schema.type === "array";
  const input = element(schema.long ? "textarea" : "input", {
    id, rows: schema.long ? 4 : undefined, type: schema.long ? undefined : "text", autocomplete: "off",
    placeholder: isList ? "separated by commas" : undefined, on: { change: changed },
  });
  return {
    node: input, input,
    get: () => (input.value.trim() === "" ? undefined : input.value),
    set: (value) => { input.value = Array.isArray(value) ? value.join(",") : value ?? ""; },
  };
}

/** "style_image" → "Style image". */
export function words(name) {
  const spaced = name.replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
