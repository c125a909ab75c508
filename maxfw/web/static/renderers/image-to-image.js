import { download, element } from "../elements.js";
import { slider, urlOf } from "../views.js";

/** The picture before and after, one over the other, parted by a slider. */
export function render({ media, file }) {
  const before = element("img", { class: "picture before", alt: "Before: the picture that was sent", src: urlOf(file) });
  const after = element("img", { class: "picture", alt: "After: the model's picture", src: urlOf(media) });
  const edge = element("div", { class: "edge", "aria-hidden": "true" });
  const node = element("div", { class: "stage compare" }, after, before, edge,
    element("span", { class: "corner left", "aria-hidden": "true" }, "before"), element("span", { class: "corner right", "aria-hidden": "true" }, "after"));
  const part = (share) => node.style.setProperty("--part", `${share * 100}%`);
  part(0.5);
  const control = slider("Before and after", { value: 0.5 }, part);
  const input = control.querySelector("input");
  const follow = (event) => {
    const { left, width } = node.getBoundingClientRect();
    input.value = Math.max(0, Math.min(1, (event.clientX - left) / width));
    input.dispatchEvent(new Event("input"));
  };
  node.addEventListener("pointerdown", (event) => { event.preventDefault(); node.setPointerCapture(event.pointerId); follow(event); node.addEventListener("pointermove", follow); });
  node.addEventListener("pointerup", () => node.removeEventListener("pointermove", follow));
  node.addEventListener("pointercancel", () => node.removeEventListener("pointermove", follow));
  const size = element("p", { class: "quiet" });
  after.addEventListener("load", () => { size.textContent = `${before.naturalWidth} × ${before.naturalHeight} → ${after.naturalWidth} × ${after.naturalHeight} pixels`; });
  const save = element("button", { type: "button", class: "small", on: { click: () => download(media, "answer.png") } }, "Download the picture");
  return element("div", { class: "stack" }, node, control, element("div", { class: "buttons" }, save, size));
}
