// The camera and the microphone of the visitor.
import { element } from "./elements.js";

const NO_DEVICE = "This browser gives the camera and the microphone only to pages from https:// or localhost.";

/** Opens the camera in `place`; calls `take(file)` with the picture that is taken. */
export async function takePicture(place, take) {
  const opened = await openCamera(place);
  if (!opened) return;
  const { video, stop } = opened;
  const close = () => { stop(); place.replaceChildren(); };
  const snap = element("button", { type: "button", class: "primary", on: { click: async () => { const file = await frameOf(video); close(); take(file); } } }, "Take the picture");
  place.replaceChildren(video, element("div", { class: "buttons" }, snap, element("button", { type: "button", on: { click: close } }, "Cancel")));
  snap.focus();
}

/** The camera as a playing <video> and a function that stops it; null, and a message in `place`, where there is none. */
export async function openCamera(place) {
  const stream = await media(place, { video: { width: { ideal: 1280 }, facingMode: "environment" } }, "camera");
  if (!stream) return null;
  const video = element("video", { class: "camera", playsinline: true, "aria-label": "What the camera sees" });
  video.muted = true;
  video.srcObject = stream;
  await video.play();
  return { video, stop: () => stream.getTracks().forEach((track) => track.stop()) };
}

async function media(place, wanted, noun) {
  place.replaceChildren();
  try {
    if (!navigator.mediaDevices) throw new Error(NO_DEVICE);
    return await navigator.mediaDevices.getUserMedia(wanted);
  } catch (error) {
    const reason = error.name === "NotAllowedError" ? `The browser was not allowed to use the ${noun}.` : error.name === "NotFoundError" ? `No ${noun} was found.` : error.message;
    place.replaceChildren(element("p", { class: "notice error", role: "alert" }, reason));
    return null;
  }
}

/** What a video shows now, as a JPEG file. */
export function frameOf(video) {
  const canvas = element("canvas", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  return new Promise((resolve) => canvas.toBlob((blob) => resolve(new File([blob], "camera.jpg", { type: "image/jpeg" })), "image/jpeg", 0.9));
}

export function canRecord() {
  return typeof MediaRecorder !== "undefined";
}

/** Records from the microphone in `place`; calls `take(file)` with a WAV file. */
export async function recordSound(place, take) {
  const stream = await media(place, { audio: true }, "microphone");
  if (!stream) return;
  const recorder = new MediaRecorder(stream);
  const parts = [];
  const started = performance.now();
  const clock = element("span", { role: "timer" }, "0 s");
  const ticking = setInterval(() => { clock.textContent = `${Math.round((performance.now() - started) / 1000)} s`; }, 500);
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  recorder.addEventListener("stop", async () => {
    clearInterval(ticking);
    stream.getTracks().forEach((track) => track.stop());
    place.replaceChildren();
    take(await asWav(new Blob(parts)));
  });
  const stop = element("button", { type: "button", class: "primary", on: { click: () => recorder.stop() } }, "Stop and use it");
  place.replaceChildren(element("div", { class: "buttons" }, element("span", { class: "recording" }, "Recording "), clock, stop));
  recorder.start();
  stop.focus();
}

/** Whatever the browser can decode → a mono, 16-bit WAV file. */
async function asWav(blob) {
  const context = new AudioContext();
  const sound = await context.decodeAudioData(await blob.arrayBuffer());
  await context.close();
  const samples = sound.getChannelData(0);
  const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const write = (offset, text) => [...text].forEach((letter, index) => view.setUint8(offset + index, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + samples.length * 2, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, sound.sampleRate, true);
  view.setUint32(28, sound.sampleRate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, index) => view.setInt16(44 + index * 2, Math.max(-1, Math.min(1, sample)) * 32767, true));
  return new File([view], "recording.wav", { type: "audio/wav" });
}
