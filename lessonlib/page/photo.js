// Everything that the page does. The photo is decoded, resized and classified here; nothing is sent anywhere.
"use strict";

const $ = id => document.getElementById(id);
const clear = e => e.replaceChildren();
let facts, page, session, tensor, turn = 0, stream;

class Said extends Error {} // an error whose words are for the visitor

// ---- Loading: each file is compared with the hash that was written when the page was made

const sri = hex => "sha256-" + btoa(String.fromCharCode(...hex.match(/../g).map(b => parseInt(b, 16))));

async function get(url, integrity) {
  const answer = await fetch(url, integrity ? { integrity } : {}).catch(() => null);
  if (answer && answer.ok) return answer;
  throw new Said(`${url} could not be loaded, or is not the file that was published. Reload the page to try again.`);
}

async function load() {
  if (location.protocol === "file:") throw new Said(
    "A browser lets no page read files that was itself opened as a file. In this folder, run python -m http.server and open http://localhost:8000");
  [facts, page] = await Promise.all(["bundle/bundle.json", "page.json"].map(async f => (await get(f)).json()));
  check(facts);
  const { module, wasm } = page.runtime, model = facts.files["model.onnx"];
  const bytes = async r => (await r).arrayBuffer();
  const [code, binary, onnx] = await Promise.all([get(module.url, module.integrity).then(r => r.blob()),
    bytes(get(wasm.url, wasm.integrity)), bytes(get("bundle/model.onnx", sri(model.sha256)))]);
  const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  const ort = await import(address);
  Object.assign(ort.env.wasm, { wasmBinary: binary, numThreads: 1 });
  session = await ort.InferenceSession.create(new Uint8Array(onnx), { logSeverityLevel: 3 });
  tensor = (data, shape) => new ort.Tensor("uint8", data, shape);
  await session.run({ image: tensor(new Uint8Array(12), [1, 2, 2, 3]) }); // the first run is slow: let it be this one
}

function check({ labels, temperature, unsure_below, stranger_above, files }) { // as Python does before it writes them
  const within = (x, low, high) => x === undefined || typeof x === "number" && x >= low && x <= high;
  const fits = Array.isArray(labels) && labels.length > 1 && labels.every(l => typeof l === "string") &&
    within(temperature, 0.01, 100) && within(unsure_below, 0, 1) && within(stranger_above, 0, 2) &&
    /^[0-9a-f]{64}$/.test(files?.["model.onnx"]?.sha256);
  if (!fits) throw new Said("bundle/bundle.json is not as it was published: its labels, numbers or hashes cannot be. Fetch this folder again.");
}

// ---- From a file to the pixels that Python would see

async function opened(blob) {
  const { bytes, pixels } = page.limits;
  if (!blob.size) throw new Said("This file is empty.");
  if (blob.size > bytes) throw new Said(`This file has ${mega(blob.size)} MB; the limit is ${mega(bytes)} MB.`);
  const img = $("photo");
  URL.revokeObjectURL(img.src);
  img.src = URL.createObjectURL(blob);
  await new Promise((done, failed) => { img.onload = done; img.onerror = () => failed(new Said(
    "Your browser cannot open this file as a photo. Try a JPEG, PNG or WebP file.")); });
  const size = img.naturalWidth * img.naturalHeight; // known from the header, before anything is decoded
  if (size > pixels) throw new Said(`This photo has ${mega(size)} megapixels; the limit is ${mega(pixels)}.`);
  return createImageBitmap(blob, { imageOrientation: "from-image", premultiplyAlpha: "none" })
    .catch(() => { throw new Said("This photo cannot be read to its end: it is damaged, or not made of pixels."); });
}

const mega = n => +(n / 1e6).toPrecision(3);

function pixels(bitmap) { // RGB at the photo's own size, strip by strip, since phones limit the size of a canvas
  const { width, height } = bitmap, rgb = new Uint8Array(width * height * 3), rows = Math.min(height, 256);
  const canvas = Object.assign(document.createElement("canvas"), { width, height: rows });
  const c = canvas.getContext("2d", { willReadFrequently: true });
  for (let y = 0, at = 0; y < height; y += rows) {
    c.fillStyle = "#fff"; c.fillRect(0, 0, width, rows); // what shows through where the photo is transparent
    c.drawImage(bitmap, 0, -y);
    const rgba = c.getImageData(0, 0, width, Math.min(rows, height - y)).data;
    for (let i = 0; i < rgba.length; i += 4) { rgb[at++] = rgba[i]; rgb[at++] = rgba[i + 1]; rgb[at++] = rgba[i + 2]; }
  }
  return tensor(rgb, [1, height, width, 3]);
}

// ---- From pixels to labels

async function classify(blob) {
  const bitmap = await opened(blob), start = performance.now();
  const { probs, distance } = await session.run({ image: pixels(bitmap) });
  bitmap.close();
  const whole = probs.data.length === facts.labels.length && Math.abs(probs.data.reduce((a, b) => a + b) - 1) < 1e-3;
  if (!whole || distance && !Number.isFinite(distance.data[0])) throw new Said("The network gives no probabilities that add up to one for this photo.");
  const flat = Array.from(probs.data, p => p ** (1 / (facts.temperature ?? 1))), sum = flat.reduce((a, b) => a + b);
  const answer = facts.labels.map((label, i) => ({ label, p: flat[i] / sum })).sort((a, b) => b.p - a.p);
  return { answer, distance: distance?.data[0], ms: performance.now() - start };
}

function percent(p) { // the space before % does not break
  if (p > 0.999 && p < 1) return "> 99.9\u00a0%";
  if (p > 0 && p < 0.001) return "< 0.1\u00a0%";
  return `${(100 * p).toFixed(1)}\u00a0%`;
}

function row({ label, p }) {
  const li = document.createElement("li"), data = document.createElement("data"), bar = document.createElement("i");
  li.append(label, data, bar);
  Object.assign(data, { value: p, textContent: percent(p) });
  bar.style.setProperty("--share", `${100 * p}%`);
  return li;
}

function words([best], distance) { // the rules of Classifier.answer
  const known = distance === undefined || distance <= (facts.stranger_above ?? Infinity);
  const sure = best.p >= (facts.unsure_below ?? 0), likeliest = `${best.label}, ${percent(best.p)}`;
  if (!known) return "None of these";
  return sure ? likeliest : `Not sure: perhaps ${likeliest}`;
}

function show({ answer, distance, ms }) {
  $("said").textContent = words(answer, distance);
  $("labels").replaceChildren(...answer.slice(0, page.top).map(row));
  $("time").textContent = `${Math.round(ms)} ms on this device`;
  $("result").hidden = false;
}

async function take(blob) { // of two photos in a row, the later one is shown
  const mine = ++turn;
  clear($("wrong")); clear($("labels"));
  $("result").hidden = true;
  $("said").textContent = "Looking …";
  await new Promise(r => setTimeout(r)); // let these words appear first
  try {
    const seen = await classify(blob);
    if (mine === turn) show(seen);
  } catch (e) { if (mine === turn) complain(e); }
}

function complain(e, what = "This photo could not be looked at. Try a smaller one") {
  clear($("said"));
  $("wrong").textContent = e instanceof Said ? e.message : `${what} (${e.message || e}).`;
}

// ---- Five ways to bring a photo: a file, a drop, a paste, the camera, an example

async function camera() {
  try { stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }); }
  catch (e) { return complain(new Said(`The camera cannot be used (${e.message}). Choose a file instead.`)); }
  clear($("wrong"));
  $("video").srcObject = stream;
  await $("video").play();
  $("viewfinder").hidden = false;
  $("shoot").focus();
}

function close() {
  stream?.getTracks().forEach(t => t.stop());
  $("viewfinder").hidden = true;
  $("camera").focus();
}

function shoot() {
  const v = $("video"), canvas = document.createElement("canvas");
  Object.assign(canvas, { width: v.videoWidth, height: v.videoHeight });
  canvas.getContext("2d").drawImage(v, 0, 0);
  close();
  canvas.toBlob(take, "image/png");
}

function example(file, i) {
  const button = document.createElement("button"), img = document.createElement("img");
  Object.assign(img, { src: file, alt: `Example ${i + 1}` });
  button.append(img);
  button.onclick = async () => take(await (await get(file)).blob());
  return button;
}

function listen() {
  const one = files => { if (files.length) take(files[0]); };
  $("file").onchange = e => { one([...e.target.files]); e.target.value = ""; };
  document.onpaste = e => one(e.clipboardData.files);
  document.ondragover = e => { e.preventDefault(); document.body.classList.add("over"); };
  document.ondragleave = () => document.body.classList.remove("over");
  document.ondrop = e => { e.preventDefault(); document.body.classList.remove("over"); one(e.dataTransfer.files); };
  Object.assign($("camera"), { onclick: camera, hidden: !navigator.mediaDevices?.getUserMedia });
  $("shoot").onclick = shoot; $("close").onclick = close;
  $("file").disabled = $("camera").disabled = false;
}

function introduce() {
  $("said").textContent = "Ready for a photo.";
  const { rate, low, high, n } = facts.error ?? {};
  if (n) $("error").textContent =
    `It knows: ${facts.labels.join(", ")}. On ${n} photos held back in training it was wrong in ${percent(rate)} (true rate: ${percent(low)} to ${percent(high)}, with 95\u00a0% confidence). ` +
    (facts.stranger_above === undefined ? "It answers for any photo, even of something else." :
      "A photo that is unlike all of its own it should call none of these; it may miss some.");
  if (!page.examples.length) return;
  $("examples").lastChild.replaceChildren(...page.examples.map(example));
  $("examples").hidden = false;
}

load().then(() => { listen(); introduce(); }, e => complain(e, "This browser cannot run the classifier"));
