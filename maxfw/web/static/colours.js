// Colours for labels: strong enough to read white text on, the same label always the same colour on a page.
const PALETTE = [
  "#3949c6", "#b3261e", "#1b7a3d", "#8e24aa", "#a84a00", "#00707f", "#ad1457", "#4e6500",
  "#5e4fc9", "#6d4c41", "#0a66a8", "#92278f", "#7d5700", "#2e6f62", "#c0265c", "#50607a",
];
const known = new Map();

export function colourOf(key) {
  const name = String(key);
  if (!known.has(name)) known.set(name, PALETTE[known.size % PALETTE.length]);
  return known.get(name);
}

/** "#3949c6" → [57, 73, 198]. */
export function rgb(colour) {
  return [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));
}
