// What can be taken along: a project with its photos, and a bundle; and the way back from both.
import { fingerprint, tensorsOf } from "./model.js";
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

export async function opened(file, page) { // a project: classes with photos; or a bundle: classes with features
  const files = await unzip(file), named = end => Object.keys(files).find(n => n === end || n.endsWith(`/${end}`));
  const json = name => { try { return JSON.parse(new TextDecoder().decode(files[name])); } catch { throw new NoZip(`${name} in this zip is damaged.`); } };
  if (named("bundle.json")) return fromBundle(files, named, json(named("bundle.json")), page);
  if (!named("project.json")) throw new NoZip("This zip holds neither a project nor a classifier of this page.");
  const root = named("project.json").slice(0, -"project.json".length), about = json(named("project.json"));
  if (about?.format !== 1 || !Array.isArray(about.classes)) throw new NoZip("This project was written by a newer page, or is damaged.");
  return about.classes.map(({ name, photos }) => ({ name: String(name), photos: photos.map(path => {
    const bytes = files[root + path];
    if (!bytes) throw new NoZip(`${path} is missing in this project.`);
    return { blob: new Blob([bytes]), name: path.split("/").pop() };
  }) }));
}

async function fromBundle(files, named, facts, page) {
  for (const [name, expected] of Object.entries(facts.files ?? {})) {
    const bytes = files[named(name)], found = bytes && await fingerprint(bytes);
    if (found?.sha256 !== expected.sha256) throw new NoZip(`${name} is not the file that was written: the classifier has changed, and is not opened.`);
  }
  if (facts.arch !== page.facts.arch || facts.size !== page.facts.size) throw new NoZip(`This classifier looks with ${facts.arch}, this page with ${page.facts.arch}: the two cannot go together.`);
  const weights = facts.files?.["model.safetensors"] && tensorsOf(files[named("model.safetensors")]);
  if (!weights?.features) throw new NoZip("This classifier does not hold what its photos looked like, so no class can be added to it. Only those that this page wrote do.");
  const { features: { shape: [n, long], values }, targets } = weights;
  const rows = Array.from({ length: n }, (_, i) => values.slice(i * long, (i + 1) * long));
  return facts.labels.map((name, k) => ({ name, photos: rows.filter((_, i) => targets.values[i] === k).map((x, i) => ({ x, name: `seen before ${i + 1}`, key: `${name} ${i}` })) }));
}
