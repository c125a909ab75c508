// Tabs: arrow keys move between them.
import { element, freshId } from "./elements.js";
import { copyButton } from "./views.js";

/** Tabs of texts to copy: {node, fill({name: text})}. */
export function codeTabs(names) {
  const id = freshId("code");
  const code = element("pre", { class: "code", id, tabindex: "0", role: "tabpanel" });
  let texts = {};
  let current = names[0];
  const tabs = names.map((name) => element("button", { type: "button", role: "tab", id: `${id}-${name}`, "aria-controls": id, on: {
    click: () => choose(name),
    keydown: ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      choose(names[(names.indexOf(current) + step + names.length) % names.length]);
      tabs[names.indexOf(current)].focus();
    },
  } }, name));
  function choose(name) {
    current = name;
    tabs.forEach((tab, index) => {
      tab.setAttribute("aria-selected", String(names[index] === name));
      tab.tabIndex = names[index] === name ? 0 : -1;
    });
    code.setAttribute("aria-labelledby", `${id}-${name}`);
    code.textContent = texts[name] ?? "";
  }
  choose(current);
  const node = element("div", { class: "tabs" },
    element("div", { class: "tab-row" }, element("div", { role: "tablist", "aria-label": "Languages", class: "tab-list" }, tabs), copyButton(() => texts[current] ?? "")), code);
  return { node, fill: (next) => { texts = { ...texts, ...next }; choose(current); } };
}
