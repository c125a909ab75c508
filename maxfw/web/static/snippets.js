// The request on the page, as curl, Python and JavaScript.
import { HOME } from "./service.js";

const shell = (text) => `'${String(text).replaceAll("'", "'\\''")}'`;
const script = (value) => JSON.stringify(value);

/** A value as Python writes it. */
function python(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([key, one]) => `${script(key)}: ${python(one)}`).join(", ")}}`;
  return script(value);
}

/** {curl, Python, JavaScript} for what is in the form now. */
export function snippets(form, { files, body, parameters }) {
  const url = new URL(form.path, HOME).href;
  const named = Object.entries(files).map(([name, file]) => [name, file?.name ?? "file"]);
  const given = form.parameters.filter(({ name }) => parameters[name] !== undefined).map(({ name, in: place }) => [name, parameters[name], place]);
  const query = given.filter(([, , place]) => place !== "formData" || form.body);
  const fields = given.filter((one) => !query.includes(one));
  const address = query.length ? `${url}?${new URLSearchParams(query.map(([name, value]) => [name, value]))}` : url;
  return { curl: curl(form, address, named, body, fields), Python: client(form, named, body, given), JavaScript: fetched(form, address, named, body, fields) };
}

function curl(form, url, named, body, fields) {
  const lines = [`curl ${shell(url)}`];
  if (form.body) lines.push(`-H 'Content-Type: application/json'`, `-d ${shell(JSON.stringify(body))}`);
  else lines.push(...named.map(([name, file]) => `-F ${shell(`${name}=@${file}`)}`), ...fields.map(([name, value]) => `-F ${shell(`${name}=${value}`)}`));
  return lines.join(" \\\n  ");
}

function client(form, named, body, given) {
  const keywords = [...named, ...Object.entries(form.body ? body : {}), ...given].map(([name, value]) => `${name}=${python(value)}`);
  return [
    `# pip install "maxfw[client]"`, `from maxfw.client import Client`, "",
    `with Client(${script(HOME.href.replace(/\/$/, ""))}) as model:`,
    `    answer = model.predict(${keywords.join(", ")})`, `    print(answer)`,
  ].join("\n");
}

function fetched(form, url, named, body, fields) {
  if (form.body) {
    return [`const response = await fetch(${script(url)}, {`, `  method: "POST",`, `  headers: { "Content-Type": "application/json" },`, `  body: JSON.stringify(${JSON.stringify(body)}),`, `});`, `console.log(await response.json());`].join("\n");
  }
  if (form.method === "GET") return `const response = await fetch(${script(url)});\nconsole.log(response.status);`;
  return [
    `const form = new FormData();`, ...named.map(([name]) => `form.append(${script(name)}, input.files[0]);  // an <input type="file">`),
    ...fields.map(([name, value]) => `form.append(${script(name)}, ${script(value)});`),
    `const response = await fetch(${script(url)}, { method: "POST", body: form });`, `console.log(await response.json());`,
  ].join("\n");
}
