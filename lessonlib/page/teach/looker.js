// A worker that looks at photos: from a file to what the network sees, number for number as Python does. Nothing is sent anywhere.
import { dot } from "./head.js";
import { look } from "./looks.js";
import { fingerprint, safetensors, table, turned, withHead } from "./model.js";
import { square } from "./shrink.js";
import { zip } from "./zip.js";

let ort, network, session, limits, size;

export class Said extends Error {} // an error whose words are for the visitor

// ---- Loading: each file is compared with the hash that was written when the page was made

async function get({ url, integrity }) {
  const answer = await fetch(url, { integrity }).catch(() => null);
  if (answer?.ok) return answer;
  throw new Said(`${url} could not be loaded, or is not the file that was published. Reload the page to try again.`);
}

async function load({ runtime, network: file, limits: most, facts }) {
  [limits, size] = [most, facts.size];
  const bytes = async r => (await r).arrayBuffer();
  const [code, wasm, onnx] = await Promise.all([get(runtime.module).then(r => r.blob()), bytes(get(runtime.wasm)), bytes(get(file))]);
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  ort = await import(address);
  Object.assign(ort.env.wasm, { wasmBinary: wasm, numThreads: 1 });
  network = new Uint8Array(onnx);
  session = await open(network);
  await seen(session, new Uint8Array(3 * size ** 2)); // the first run is slow: let it be this one
}

const open = model => ort.InferenceSession.create(model, { logSeverityLevel: 3 });
const seen = (session, pixels, wanted = ["features"]) => session.run({ image: new ort.Tensor("uint8", pixels, [1, size, size, 3]) }, wanted);

// ---- From a file to pixels

async function opened(blob) {
  const bitmap = await createImageBitmap(blob, { imageOrientation: "from-image", premultiplyAlpha: "none" }).catch(() => {
    throw new Said("This photo cannot be read to its end: it is damaged, or not made of pixels."); });
  if (bitmap.width * bitmap.height > limits.pixels) throw new Said("This photo has too many pixels.");
  return bitmap;
}

async function thumbnail(bitmap) {
  const scale = Math.min(1, 224 / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map(side => Math.max(1, Math.round(scale * side)));
  const canvas = new OffscreenCanvas(width, height), c = canvas.getContext("2d");
  c.fillStyle = "#fff"; c.fillRect(0, 0, width, height);
  c.imageSmoothingQuality = "high";
  c.drawImage(bitmap, 0, 0, width, height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
}

// ---- What the page asks for

async function lookAt({ blob, kept }) { // `kept`: also what is needed to keep it
  const bitmap = await opened(blob);
  try {
    const pixels = square(bitmap, size), { features } = await seen(session, pixels);
    const x = Float32Array.from(features.data);
    if (!kept) return { x };
    const { sha256 } = await fingerprint(new Uint8Array(await blob.arrayBuffer()));
    return { x, look: look(pixels), thumb: await thumbnail(bitmap), key: sha256 };
  } finally { bitmap.close(); }
}

async function bundle({ facts, head, photos, labels, tries }) { // a zip; checked on photos before it is handed out
  const { weights, bias } = head, n = weights[0].length, rows = photos.map(p => p.x);
  const constants = { weights: [[n, labels.length], turned(weights)], bias: [[labels.length], Float32Array.from(bias)],
    photos: [[n, rows.length], turned(head.seen)], nearest: [[1], BigInt64Array.from([BigInt(Math.min(5, rows.length))])] };
  const model = withHead(network, constants);
  facts = { ...facts, parity: await compared(model, tries) };
  const kept = safetensors({ weight: [[labels.length, n], table(weights)], bias: constants.bias,
    lengths: [[rows.length], Float32Array.from(rows, row => Math.sqrt(dot(row, row)))], targets: [[rows.length], Int32Array.from(photos, p => p.y)] });
  facts.files = { "model.onnx": await fingerprint(model), "model.safetensors": await fingerprint(kept) };
  const json = new TextEncoder().encode(JSON.stringify({ ...facts, labels }, null, 1) + "\n");
  return zip([["bundle/bundle.json", json], ["bundle/model.onnx", model], ["bundle/model.safetensors", kept]]);
}

async function compared(model, tries) { // how far the graph is from the head, on some photos
  const written = await open(model);
  let gap = 0;
  for (const { blob, probs } of tries) {
    const bitmap = await opened(blob), { probs: found } = await seen(written, square(bitmap, size), ["probs"]);
    bitmap.close();
    gap = probs.reduce((most, p, k) => Math.max(most, Math.abs(p - found.data[k])), gap);
  }
  await written.release();
  if (!(gap <= 1e-3)) throw new Said(`The bundle answers otherwise than the page, by ${gap}: it is not handed out. Please tell the author.`);
  return { max_difference: gap, photos: tries.length };
}

const zipped = ({ files }) => zip(files);

const can = { load, lookAt, bundle, zipped };
onmessage = async ({ data: { id, what, ...rest } }) => {
  try { postMessage({ id, answer: await can[what](rest) }); }
  catch (e) { postMessage({ id, wrong: e instanceof Said ? e.message : `This did not work here. Try a smaller photo (${e.message ?? e}).` }); }
};
