// How the web applications ask their own server; what goes wrong is an error with `message` and `hint`.

// Only a script of our own page can send this header.
const HEADERS = { "X-Max-App": "1" };

function away() {
  return Object.assign(new Error("This page's server cannot be reached."), { hint: "Is it still running? Try again in a moment." });
}

function answered(status, text) {
  let answer = {};
  try {
    answer = JSON.parse(text);
  } catch {
    // a proxy's page
  }
  if (status >= 200 && status < 300) return answer;
  throw Object.assign(new Error(answer.message || `The server answered ${status}.`), { hint: answer.hint });
}

/** The JSON at `path`; `options` are those of `fetch`. */
export async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { ...options, headers: HEADERS });
  } catch {
    throw away();
  }
  return answered(response.status, await response.text());
}

/** Sends a form; `progress(share)` is told how much of it has left. */
export function sent(path, form, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    for (const [name, value] of Object.entries(HEADERS)) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
    request.upload.addEventListener("load", () => progress(1));
    request.addEventListener("error", () => reject(away()));
    request.addEventListener("load", () => {
      try {
        resolve(answered(request.status, request.responseText));
      } catch (error) {
        reject(error);
      }
    });
    request.send(form);
  });
}
