// Makes pictures no bigger than a model has use for.
import { element } from "../shared/elements.js";

const MOST_PIXELS = 1600;

/** A picture as JPEG with at most `most` pixels a side, upright; small ones are sent as they are. */
export async function shrunk(file, most = MOST_PIXELS) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return file; // the server says what is wrong with it
  }
  const scale = most / Math.max(bitmap.width, bitmap.height);
  if (scale >= 1) return file;
  const canvas = element("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? file), "image/jpeg", 0.92));
}
