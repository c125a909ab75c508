import { colourOf } from "../colours.js";
import { drawn, element } from "../elements.js";
import { legend, nothing, stage } from "../views.js";

export function render({ answer, file }) {
  const people = answer.predictions;
  if (!people.length) return element("div", { class: "stack" }, nothing("No person was found."), stage(file).node);
  const picture = stage(file, `The picture that was sent, with ${people.length} poses`);
  const figures = people.map((person) => figureOf(person));
  picture.size.then(({ width, height }) => {
    const [right, bottom] = width ? [width, height] : farthest(people);
    const unit = Math.max(right, bottom) / 140;
    figures.forEach((figure) => {
      figure.querySelectorAll("circle").forEach((dot) => dot.setAttribute("r", unit));
      figure.setAttribute("stroke-width", unit * 0.8);
    });
    picture.layer.append(drawn("svg", { viewBox: `0 0 ${right} ${bottom}`, class: "pose", "aria-hidden": "true" }, figures));
  });
  const entries = people.map((person, index) => ({ key: `person ${person.human_id}`, name: `Person ${index + 1}`, note: `${person.body_parts.length} points` }));
  const filter = legend(entries, (hidden, highlighted) => figures.forEach((figure, index) => {
    figure.classList.toggle("gone", hidden.has(entries[index].key));
    figure.classList.toggle("dim", highlighted !== null && highlighted !== entries[index].key);
  }));
  const parts = people.map((person, index) => element("details", {},
    element("summary", {}, `Points of person ${index + 1}`),
    element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Points of person ${index + 1}` }, element("table", {},
      element("thead", {}, element("tr", {}, ["part", "x", "y", "score"].map((title) => element("th", { scope: "col" }, title)))),
      element("tbody", {}, person.body_parts.map((part) => element("tr", {}, [part.part_name, part.x, part.y, part.score].map((value) => element("td", {}, String(value))))))))));
  return element("div", { class: "stack" }, picture.node, filter, parts);
}

function figureOf(person) {
  const colour = colourOf(`person ${person.human_id}`);
  return drawn("g", { stroke: colour, fill: "#fff", "stroke-linecap": "round" },
    (person.pose_lines ?? []).map(({ line: [x1, y1, x2, y2] }) => drawn("line", { x1, y1, x2, y2 })),
    person.body_parts.map(({ x, y, part_name: name }) => drawn("circle", { cx: x, cy: y, r: 3 }, drawn("title", {}, name))));
}

function farthest(people) {
  const parts = people.flatMap((person) => person.body_parts);
  return [Math.max(...parts.map(({ x }) => x)) * 1.1, Math.max(...parts.map(({ y }) => y)) * 1.1];
}
