// What can be taken along: a project with its photos, and a bundle; and the way back from both.
import { constantOf, fingerprint, tensorsOf } from "./model.js";
import { NoZip, unzip } from "./zip.js";

const safe = name => name.replace(/[\\/:*?"<>|\u0000-\u001f]/g, "_").replace(/^\.+|[. ]+$/g, "_").slice(0, 80) || "_";

function unlike(name, taken) { // a name that is free
  let free = name;
  for (let i = 2; taken.has(free.toLowerCase()); i++) free = `${name} (${i})`;
  taken.add(free.toLowerCase());
  return free;
}

export function projectFiles(classes, photosOf) { // names and contents: a folder for each class, as `lessonlib train` wants them
  const files = [], folders = new Set(), about = { format: 1, classes: [] };
  for (const c of classes) {
    const folder = unlike(safe(c.name), folders), names = new Set(), photos = [];
    for (const p of photosOf(c).filter(p => p.blob)) {
      const path = `photos/${folder}/${unlike(safe(p.name), names)}`;
      files.push([path, p.blob]);
      photos.push(path);
    }
    about.classes.push({ name: c.name, photos });
  }
  return [["project.json", new TextEncoder().encode(JSON.stringify(about, null, 1))], ...files];
}

export const OURS = /\.(zip|json|onnx|safetensors)$/i;

export async function opened(chosen, page) { // a zip, or the files of a bundle; gives classes with photos, or with features
  const bytes = async file => [file.name, new Uint8Array(await file.arrayBuffer())];
  const loose = chosen.length > 1 || /\.(json|onnx|safetensors)$/i.test(chosen[0].name);
  const files = loose ? Object.fromEntries(await Promise.all(chosen.map(bytes))) : await unzip(chosen[0]);
  const named = end => Object.keys(files).find(n => n === end || n.endsWith(`/${end}`));
  const json = name => { try { return JSON.parse(new TextDecoder().decode(files[name])); } catch { throw new NoZip(`${name} is damaged.`); } };
  if (named("bundle.json")) return fromBundle(files, named, json(named("bundle.json")), page);
  if (!named("project.json")) throw new NoZip(loose ? "A classifier has three files: choose bundle.json, model.onnx and model.safetensors together."
    : "This zip holds neither a project nor a classifier of this page.");
  const root = named("project.json").slice(0, -"project.json".length), about = json(named("project.json"));
  if (about?.format !== 1 || !Array.isArray(about.classes)) throw new NoZip("This project was written by a newer page, or is damaged.");
  return { said: "", classes: about.classes.map(({ name, photos }) => ({ name: String(name), photos: photos.map(path => {
    const bytes = files[root + path];
    if (!bytes) throw new NoZip(`${path} is missing in this project.`);
    return { blob: new Blob([bytes]), name: path.split("/").pop() };
  }) })) };
}

// ---- A bundle holds no photos. Of what the network saw in them, its graph has the directions, the other file lengths and labels

const MOST = 500; // more photos take minutes to learn from, again and again

async function fromBundle(files, named, facts, page) {
  const checked = async name => {
    const bytes = files[named(name)], found = bytes && await fingerprint(bytes);
    if (!found || found.sha256 !== facts.files?.[name]?.sha256) throw new NoZip(`${name} is not the file that was written: the classifier has changed, and is not opened.`);
    return bytes;
  };
  const [graph, weights] = [await checked("model.onnx"), await checked("model.safetensors")], { arch, size, method } = page.facts;
  if (facts.arch !== arch || facts.size !== size) throw new NoZip(`This classifier looks with ${facts.arch} at ${facts.size} pixels, this page with ${arch} at ${size}: the two cannot go together.`);
  if (facts.method !== method) throw new NoZip(`This classifier was shown photos another way (${facts.method}) than this page shows them (${method}): the two cannot go together.`);
  const kept = photosIn(graph, weights, facts.labels);
  if (!kept) throw new NoZip("This classifier does not hold what its photos looked like, so no class can be added to it. Its network was trained further, or an older lessonlib wrote it.");
  const step = Math.max(1, kept.length / MOST), used = kept.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
  const all = Math.max(kept.length, facts.error?.n ?? 0);
  return {
    said: used.length < all ? `This classifier has learned from ${all} photos. What it saw in ${used.length} of them goes on here.` : "",
    classes: facts.labels.map((name, k) => ({ name, photos: used.filter(p => p.y === k).map((p, i) => ({ x: p.x, name: `seen before ${i + 1}`, key: `${name} ${i}` })) })),
  };
}

function photosIn(graph, weights, labels) { // features and label of each; nothing if the bundle does not hold them
  try {
    const { lengths, targets } = tensorsOf(weights), seen = lengths && targets && constantOf(graph, "photos");
    if (!seen) return undefined;
    const n = lengths.values.length, row = i => Float32Array.from({ length: seen.length / n }, (_, f) => seen[f * n + i] * lengths.values[i]);
    const found = Array.from({ length: n }, (_, i) => ({ x: row(i), y: targets.values[i] }));
    if (seen.length % n || !found.every(({ x, y }) => y in labels && x.every(Number.isFinite))) throw new RangeError();
    return found;
  } catch { throw new NoZip("This classifier is damaged."); }
}
