// Colours for labels: strong enough to read white text on, the same label always the same colour on a page.
const PALETTE = [
  "#3949c6", "#b3261e", "#1b7a3d", "#8e24aa", "#a84a00", "#00707f", "#ad1457", "#4e6500",
  "#5e4fc9", "#6d4c41", "#0a66a8", "#92278f", "#7d5700", "#2e6f62", "#c0265c", "#50607a",
];
const known = new Map();

export function colourOf(key) {
  const name = String(key);
  if (!known.has(name)) known.set(name, PALETTE[known.size] ?? hue(known.size));
  return known.get(name);
}

/** One more colour for every number: the golden angle keeps neighbours apart, the lightness keeps white text readable. */
function hue(index) {
  const angle = (index * 137.508) % 360;
  const channel = (offset) => {
    const at = (offset + angle / 30) % 12;
    return Math.round(255 * (0.28 - 0.18 * Math.max(-1, Math.min(at - 3, 9 - at, 1)))).toString(16).padStart(2, "0");
  };
  return `#${channel(0)}${channel(8)}${channel(4)}`;
}

/** "#3949c6" → [57, 73, 198]. */
export function rgb(colour) {
  return [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));
}
