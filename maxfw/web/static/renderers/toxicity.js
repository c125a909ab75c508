import { element, percent } from "../elements.js";
import { bars } from "../views.js";

export function render({ answer }) {
  return element("ol", { class: "cards" }, answer.results.map(({ original_text: text, predictions }) => {
    const named = Object.entries(predictions).sort((a, b) => b[1] - a[1]);
    const [worst, share] = named[0];
    return element("li", { class: "card" },
      element("blockquote", {}, text),
      element("p", { class: "headline" }, share > 0.5 ? `${worst.replaceAll("_", " ")} (${percent(share)})` : "nothing to object to"),
      bars(named.map(([name, value]) => [name.replaceAll("_", " "), value])));
  }));
}
