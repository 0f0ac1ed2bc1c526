// The page: what a visitor does, and which worker has to do something about it. Photos are looked at by one worker and learned from by another.
import { frame, start, stop, takeSeveral } from "./camera.js";
import { opened, OURS, projectFiles } from "./files.js";
import * as keep from "./keep.js";
import { probabilities } from "./head.js";
import { $, ask, bars, chosen, complain, make, mega, percent, photos as inPhotos, save, tile, words } from "./view.js";

let page, looker, learner, classes = [], current, learned = null, live = false, unkept = "";
const photos = new Map(); // id, name, class, blob, thumb, x, look, key
const newId = () => crypto.randomUUID();
const photosOf = c => [...photos.values()].filter(p => p.class === c.id);

// ---- Workers. Each is started from a blob, so that the page's policy holds for it too: no request but to this folder

function worker(file) { // a function that asks it something and promises an answer
  const code = `import ${JSON.stringify(new URL(file, location.href).href)};`;
  const it = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })), { type: "module" }), waiting = new Map();
  it.onmessage = ({ data: { id, answer, wrong, kind } }) => {
    const { good, bad } = waiting.get(id);
    waiting.delete(id);
    if (wrong === undefined) good(answer); else bad(Object.assign(new Error(wrong), { kind }));
  };
  it.onerror = e => { for (const { bad } of waiting.values()) bad(new Error(`This browser cannot run the page (${e.message ?? "a part of it could not be loaded"}).`)); };
  return (what, facts = {}) => new Promise((good, bad) => {
    const id = newId();
    waiting.set(id, { good, bad });
    it.postMessage({ id, what, ...facts });
  });
}

// ---- Photos wait in a row; one that asks for an answer goes first

const row = [];
let total = 0, looked = 0, busy = false;

function queue(item, first = false) {
  if (first) row.unshift(item); else { row.push(item); total += 1; }
  if (!busy) work();
}

async function work() {
  busy = true;
  for (let item; (item = row.shift());) {
    await (item.class ? learnFrom(item) : answer(item));
    if (item.class) { looked += 1; progress(); }
  }
  busy = false;
  const learn = total > 0;
  [total, looked] = [0, 0];
  progress();
  if (learn) train();
}

function progress() {
  $("progress").hidden = !total;
  Object.assign($("progress"), { max: total || 1, value: looked });
  if (total) $("said").textContent = `Looking at ${inPhotos(total)} …`;
}

async function checked(blob, name) { // size and kind, before anything is decoded
  const { bytes, pixels } = page.limits, head = new Uint8Array(await blob.slice(0, 5).arrayBuffer());
  if (!blob.size) throw new Error("This file is empty.");
  if (blob.size > bytes) throw new Error(`This file has ${mega(blob.size)} MB; the limit is ${mega(bytes)} MB.`);
  if (String.fromCharCode(...head) === "%PDF-") throw new Error("This is a PDF, and no photo. Save its pictures as JPEG or PNG.");
  const img = new Image(), address = URL.createObjectURL(blob);
  img.src = address;
  await new Promise((good, bad) => { img.onload = good; img.onerror = () => bad(new Error("Your browser cannot open this file as a photo. Try a JPEG, PNG or WebP file.")); })
    .finally(() => URL.revokeObjectURL(address));
  const size = img.naturalWidth * img.naturalHeight;
  if (size > pixels) throw new Error(`This photo has ${mega(size)} megapixels; the limit is ${mega(pixels)}.`);
}

async function learnFrom(item) {
  try {
    if (item.blob) await checked(item.blob, item.name);
    const gone = () => !classes.some(c => c.id === item.class); // its class was removed while it waited
    if (gone()) return;
    const seen = item.blob ? await looker("lookAt", { blob: item.blob, kept: true }) : { x: item.x, key: item.key };
    const photo = { id: item.id ?? newId(), name: item.name, class: item.class, blob: item.blob, network: page.network.integrity, ...seen };
    photo.key ??= photo.id;
    if (gone()) return;
    await add(photo);
    await stored(() => keep.keepPhoto(photo));
  } catch (e) { complain(`${item.name}: ${e.message}`); }
}

function shown(photo, c) { // what came with a classifier has no picture
  if (photo.thumb) c.element.querySelector("ul").append(tile(photo, show, photo.name));
  count(c);
}

async function add(photo) {
  photos.set(photo.id, photo);
  const c = classes.find(c => c.id === photo.class);
  if (c) shown(photo, c);
  await learner("remember", { photo: { id: photo.id, x: photo.x, look: photo.look, key: photo.key } });
}

const NO_ROOM = "This browser has no room to remember all of your photos. They are here until the page is closed: download them to go on later.";

async function stored(work) { // in the browser's own store; if that is full, nothing but the memory of it is lost
  try { await work(); }
  catch (e) {
    if (!unkept) complain(unkept = NO_ROOM);
  }
}

// ---- Classes

function addClass(name, id = newId()) {
  const c = { id, name, element: $("class").content.cloneNode(true).firstElementChild }, q = css => c.element.querySelector(css);
  const [input, files, folder] = [q("input[type=text]"), q(".files"), q(".folder")];
  input.value = name;
  for (const choice of [files, folder]) {
    choice.id = newId();
    choice.nextElementSibling.htmlFor = choice.id;
    choice.onchange = () => { give(c, [...choice.files]); choice.value = ""; };
  }
  input.onchange = () => rename(c, input.value);
  q(".camera").onclick = () => takeSeveral(`Photos of ${c.name}`, (blob, name) => queue({ class: c.id, blob, name })).catch(e => complain(e.message));
  q(".remove").onclick = () => remove(c);
  for (const kind of ["focusin", "click"]) c.element.addEventListener(kind, () => choose(c));
  c.element.ondragover = () => choose(c);
  classes.push(c);
  $("classes").append(c.element);
  named(c); choose(c); count(c);
  return c;
}

const turning = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu; // control characters, and such as reverse a text

function rename(c, wanted) {
  const name = wanted.replace(turning, "").trim();
  if (!name || classes.some(other => other !== c && other.name === name)) {
    complain(name ? `Another class is called ${name} already.` : "A class needs a name.");
    named(c);
    return;
  }
  newTry();
  c.name = name;
  named(c); keepClasses(); train();
}

function named(c) {
  c.element.querySelector("input[type=text]").value = c.name;
  c.element.setAttribute("aria-label", `Class ${c.name}`);
  for (const [css, what] of [[".files", "Add photos to"], [".folder", "Add a folder to"], [".camera", "Use the camera for"], [".remove", "Remove the class"]])
    c.element.querySelector(css).setAttribute("aria-label", `${what} ${c.name}`);
}

function choose(c) { // where photos go that are dropped on the page or pasted
  current = c;
  for (const other of classes) {
    other.element.classList.toggle("current", other === c);
    other.element.querySelector(".here").textContent = other === c ? "Photos that are pasted or dropped go here." : "";
  }
}

function count(c) {
  const all = photosOf(c), bare = all.filter(p => !p.thumb).length;
  c.element.querySelector(".count").textContent = inPhotos(all.length) + (bare ? `, ${bare === all.length ? "all" : bare} as numbers only` : "");
}
const keepClasses = () => stored(() => keep.keepClasses(classes.map(({ id, name }) => ({ id, name }))));

async function remove(c) {
  const mine = photosOf(c);
  if (mine.length && !await ask(`Remove ${c.name} and its ${inPhotos(mine.length)}?`, "Remove it")) return;
  classes = classes.filter(other => other !== c); // first, so that none of its photos that still wait comes in
  c.element.remove();
  if (current === c) choose(classes[0]); // or none is in use
  await forget(photosOf(c));
  keepClasses(); train();
}

function newTry() { // what was wrong before is read by now; that nothing is remembered goes on being so
  $("wrong").replaceChildren();
  if (unkept) complain(unkept);
}

function give(c, files) { // to a class; of a folder, what is no photo by its name or kind is passed over
  const all = files.filter(f => !f.webkitRelativePath || f.type.startsWith("image/"));
  newTry();
  if (files.length && !all.length) complain("This folder holds no photos.");
  if (!c) complain("Add a class first.");
  else for (const file of all) queue({ class: c.id, blob: file, name: file.name });
}

async function forget(list) {
  for (const p of list) { photos.delete(p.id); URL.revokeObjectURL(p.address); }
  await learner("forget", { ids: list.map(p => p.id) });
  await stored(() => keep.dropPhotos(list.map(p => p.id)));
}

function show(photo) { // one photo, large, to be moved or deleted
  const dialog = $("one"), address = photo.blob && URL.createObjectURL(photo.blob);
  $("h-one").textContent = photo.name;
  dialog.querySelector("img").hidden = !address;
  if (address) dialog.querySelector("img").src = address;
  const i = learned ? learned.ids.indexOf(photo.id) : -1, label = classes.find(c => c.id === photo.class).name;
  dialog.querySelector(".soft").textContent = i < 0 ? `In ${label}.` : `In ${label}. Asked without having learned from it: ${learned.labels.map((l, k) => `${l} ${percent(learned.probs[i][k])}`).join(", ")}.`;
  $("moves").replaceChildren(...classes.filter(c => c.id !== photo.class).map(c => make("button", { value: c.id, textContent: `Move to ${c.name}` })));
  chosen(dialog).then(wanted => { URL.revokeObjectURL(address); change(photo, wanted); });
}

async function change(photo, wanted) {
  if (!wanted) return;
  const was = classes.find(c => c.id === photo.class), place = photosOf(was).filter(p => p.thumb).indexOf(photo);
  if (photo.thumb) was.element.querySelector("ul").children[place].remove();
  if (wanted === "delete") await forget([photo]);
  else {
    const c = classes.find(c => c.id === wanted);
    photos.delete(photo.id); // and in again as the last one, as on the page
    photo.class = wanted;
    photos.set(photo.id, photo);
    shown(photo, c);
    await stored(() => keep.keepPhoto(photo));
  }
  count(was); train();
}

// ---- Learning

async function train() {
  if (busy || !learner) return;
  const taught = classes.filter(c => photosOf(c).length > 1).sort((a, b) => a.name < b.name ? -1 : 1);
  const labelled = taught.flatMap((c, k) => photosOf(c).map(p => [p.id, k]));
  const left = classes.filter(c => !taught.includes(c));
  $("bundle").disabled = true;
  $("project").disabled = !photos.size;
  if (taught.length > 1) $("said").textContent = "Learning …"; else $("said").textContent = "";
  try {
    const found = await learner("train", { labelled, labels: taught.map(c => c.name) });
    learned = found;
    $("said").textContent = `Learned from ${inPhotos(found.n)}.`;
    verdict(left);
  } catch (e) {
    if (e.kind === "overtaken") return;
    learned = null;
    verdict(left, needed(left) ?? e.message);
  }
  $("bundle").disabled = !learned;
  $("file").disabled = $("live").disabled = !learned;
}

function needed(left) { // what there has to be before it can learn
  if (classes.length < 2) return "Add a second class: there is nothing to tell apart yet.";
  if (left.length > classes.length - 2) return `It begins to learn as soon as two classes have two photos each. ${left.map(c => `${c.name} has ${inPhotos(photosOf(c).length)}.`).join(" ")}`;
}

function verdict(left, words) {
  const { wrong, n, error, labels, y, ids, probs, twins } = learned ?? { labels: [], y: [], ids: [], probs: [], twins: [] };
  $("error").textContent = words ?? `Wrong in ${wrong} of ${n}: ${percent(error.rate)} (true rate: ${percent(error.low)} to ${percent(error.high)}, with 95\u00a0% confidence). ` +
    "Each photo was asked about by a head that had not learned from it." + left.map(c => ` ${c.name} is left out: it needs two photos.`).join("") + unseen(ids);
  $("byclass").replaceChildren(...labels.map((label, k) => {
    const own = probs.filter((_, i) => y[i] === k), missed = own.filter(p => p.some(v => v > p[k])).length;
    return make("li", { textContent: `${label}: wrong in ${missed} of ${own.length}` });
  }));
  const doubted = ids.map((id, i) => ({ photo: photos.get(id), own: probs[i][y[i]], best: probs[i].indexOf(Math.max(...probs[i])), y: y[i] }))
    .filter(d => d.photo?.thumb && d.best !== d.y).sort((a, b) => a.own - b.own).slice(0, 24);
  list("doubts", doubted.map(d => tile(d.photo, show, d.photo.name, `${labels[d.y]}? looks like ${labels[d.best]}, ${percent(1 - d.own)}`)));
  const twice = twins.map(pair => pair.map(id => photos.get(id))).filter(pair => pair.every(Boolean)).sort(([a, b], [c, d]) => (a.class === b.class) - (c.class === d.class));
  const nameOf = p => classes.find(c => c.id === p.class).name;
  list("twins", twice.slice(0, 24).map(([a, b]) => tile(b, show, b.name, a.class === b.class ? `like ${a.name}, in ${nameOf(b)}` : `in ${nameOf(b)}, and in ${nameOf(a)} too`)));
}

function unseen(ids) { // what nobody can know here of the photos that a classifier brought along
  const bare = ids.filter(id => !photos.get(id)?.thumb).length;
  return bare ? ` ${bare} of them came with a classifier, as numbers: without a picture nobody can see here whether their class is right.` : "";
}

function list(id, tiles) {
  $(id).hidden = !tiles.length;
  $(id).lastElementChild.replaceChildren(...tiles);
}

// ---- Answers

async function answer({ blob, name, quiet }) {
  try {
    await checked(blob, name);
    const { x } = await looker("lookAt", { blob }), found = await learner("ask", { x });
    if (!found) throw new Error("It has not learned anything yet.");
    const said = words(found, learned?.labels ?? []);
    if ($("answer").textContent !== said) $("answer").textContent = said; // a screen reader hears what is new
    $("labels").replaceChildren(...bars(learned.labels, found.probs));
    $("photo").hidden = quiet;
    if (!quiet) { URL.revokeObjectURL($("photo").src); $("photo").src = URL.createObjectURL(blob); }
    $("result").hidden = false;
  } catch (e) { if (!quiet) { $("result").hidden = true; complain(`${name}: ${e.message}`); } }
}

function question(file) {
  newTry();
  if (file) queue({ blob: file, name: file.name }, true);
}

async function toggle() { // the camera, one answer after the other
  const video = $("video");
  if (live) { live = false; stop(video); video.hidden = true; $("live").textContent = "Use the camera"; return; }
  try { await start(video); } catch (e) { complain(e.message); return; }
  [live, video.hidden, $("live").textContent] = [true, false, "Stop the camera"];
  while (live) {
    if (video.videoWidth && learned) await answer({ blob: await frame(video), name: "camera", quiet: true });
    await new Promise(go => setTimeout(go, 100));
  }
}

// ---- To take along

async function download() {
  newTry();
  $("said").textContent = "Writing the classifier …";
  try {
    const mine = learned, known = mine.ids.map(id => photos.get(id));
    const { rate, low, high } = mine.error, { temperature, unsure_below, stranger_above } = mine;
    const facts = { format: 2, ...page.facts, head: "linear", stranger_above, error: { rate, low, high, n: mine.n, how: "out of fold" }, temperature, unsure_below, versions: page.versions };
    const tries = known.filter(p => p.blob).slice(0, 4).map(p => ({ blob: p.blob, probs: probabilities(mine, p.x) }));
    save(await looker("bundle", { facts, head: { weights: mine.weights, bias: mine.bias, seen: mine.seen }, labels: mine.labels,
      photos: known.map((p, i) => ({ x: p.x, y: mine.y[i] })), tries }), "classifier.zip");
    $("said").textContent = "The classifier is in your downloads.";
  } catch (e) { complain(e.message); $("said").textContent = ""; }
}

async function downloadProject() {
  $("said").textContent = "Writing photos and classes …";
  try {
    save(await looker("zipped", { files: projectFiles(classes, photosOf) }), "photos.zip");
    const bare = [...photos.values()].filter(p => !p.blob).length;
    $("said").textContent = "Photos and classes are in your downloads" + (bare ? `, but for ${inPhotos(bare)} that came with a classifier, as numbers.` : ".");
  } catch (e) { complain(e.message); $("said").textContent = ""; }
}

async function open(files) { // their classes come to those that are there; those of the same name are joined
  newTry();
  try {
    const { classes: found, said } = await opened(files, page);
    if (said) complain(said);
    for (const { name, photos: theirs } of found) {
      const called = name.replace(turning, "").trim().slice(0, 200) || "class";
      const c = classes.find(c => c.name === called) ?? classes.find(c => !photosOf(c).length && /^Class \d+$/.test(c.name)) ?? addClass(called);
      if (c.name !== called) { c.name = called; named(c); }
      for (const p of theirs) queue({ class: c.id, ...p });
    }
    keepClasses();
  } catch (e) { complain(`${files[0].name}: ${e.message}`); }
}

async function wipe() {
  if (!await ask("Forget all photos and classes? What you have not downloaded is gone.", "Forget everything")) return;
  row.length = 0;
  for (const c of classes) c.element.remove();
  classes = [];
  await forget([...photos.values()]);
  await keep.wipe().catch(() => {}); // where nothing can be kept, nothing is
  $("result").hidden = true;
  URL.revokeObjectURL($("photo").src);
  $("photo").removeAttribute("src");
  while (busy) await new Promise(go => setTimeout(go, 20)); // one may just be looked at
  newTry();
  begin();
  await train();
  $("said").textContent = "All is forgotten.";
}

// ---- From nothing to ready

function begin() {
  for (const name of ["Class 1", "Class 2"]) addClass(name);
  choose(classes[0]);
  keepClasses();
}

async function restore() {
  const kept = await keep.kept();
  for (const { id, name } of kept.classes) addClass(name, id);
  for (const photo of kept.photos) {
    if (photo.network === page.network.integrity) await add(photo);
    else queue(photo.blob ? { id: photo.id, class: photo.class, blob: photo.blob, name: photo.name } : photo);
  }
  if (classes.length) choose(classes[0]); else begin();
}

function listen() {
  $("add").onclick = () => { let i = classes.length + 1; while (classes.some(c => c.name === `Class ${i}`)) i++;
    addClass(`Class ${i}`).element.querySelector("input").select(); keepClasses(); train(); };
  $("file").onchange = e => { question(e.target.files[0]); e.target.value = ""; };
  $("open").onchange = e => { if (e.target.files[0]) open([...e.target.files]); e.target.value = ""; };
  Object.assign($("live"), { onclick: toggle });
  $("bundle").onclick = download; $("project").onclick = downloadProject; $("wipe").onclick = wipe;
  document.onpaste = e => { if (e.clipboardData.files.length) give(current, [...e.clipboardData.files]); };
  document.ondragover = e => { e.preventDefault(); document.body.classList.add("over"); };
  document.ondragleave = () => document.body.classList.remove("over");
  document.ondrop = e => { e.preventDefault(); document.body.classList.remove("over"); drop(e); };
  for (const id of ["add", "open", "wipe"]) $(id).disabled = false;
}

async function drop({ dataTransfer, target }) { // on the place to ask: a question; elsewhere: a lesson
  const entries = [...dataTransfer.items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
  const files = entries.some(e => e.isDirectory) ? (await Promise.all(entries.map(inside))).flat() : [...dataTransfer.files];
  if (files.length && files.every(f => OURS.test(f.name))) open(files);
  else if (target.closest?.("#ask")) question(files[0]); else give(current, files);
}

async function inside(entry) { // the photos in what was dropped, folders within folders too
  if (entry.isFile) return new Promise((good, bad) => entry.file(good, bad)).then(f => f.type.startsWith("image/") || OURS.test(f.name) ? [f] : []);
  const reader = entry.createReader(), found = [];
  for (let some; (some = await new Promise((good, bad) => reader.readEntries(good, bad))).length;) found.push(...some);
  return (await Promise.all(found.map(inside))).flat();
}

async function load() {
  if (location.protocol === "file:") throw new Error("A browser lets no page read files that was itself opened as a file. In this folder, run python -m http.server and open http://localhost:8000");
  if (!isSecureContext) throw new Error("A browser lets a page do this only over https, or from http://localhost.");
  page = await fetch("page.json").then(r => r.json());
  [looker, learner] = [worker("looker.js"), worker("learner.js")];
  const absolute = file => ({ ...file, url: new URL(file.url, location.href).href }), { module, wasm } = page.runtime;
  const facts = { runtime: { module: absolute(module), wasm: absolute(wasm) }, network: absolute(page.network), limits: page.limits, facts: page.facts };
  await Promise.all([looker("load", facts), learner("forget", { ids: [] })]); // both are asked, so that one that does not start is noticed now
  await keep.open(`lessonlib-teach ${location.pathname}`).then(restore, e => {
    complain(unkept = `This browser lets no page remember anything (${e.message}): download your photos to go on later.`);
    begin(); });
  listen();
  $("said").textContent = "Ready for photos.";
  if (photos.size || row.length) train();
}

load().catch(e => { $("said").textContent = ""; complain(e.message); });
