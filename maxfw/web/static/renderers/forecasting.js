import { element } from "../elements.js";
import { lineChart } from "../views.js";

const MOST_LINES = 8;

/** One forecast a row; single-step rows are one line through all of them. */
export function render({ answer }) {
  const rows = answer.predictions;
  const steps = Math.max(...rows.map((row) => row.length));
  const series = steps === 1
    ? [{ name: "forecast", values: rows.flat() }]
    : rows.slice(0, MOST_LINES).map((values, index) => ({ name: `row ${index + 1}`, values }));
  return element("div", { class: "stack" },
    element("p", { class: "headline" }, steps === 1 ? `${rows.length} steps` : `${rows.length} × ${steps} steps`),
    lineChart(series),
    rows.length > MOST_LINES && steps > 1 ? element("p", { class: "quiet" }, `The first ${MOST_LINES} rows are drawn; the JSON has all.`) : null);
}
