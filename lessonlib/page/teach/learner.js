// A worker that learns: it knows what the network sees in each photo, and trains and judges whenever photos or labels have changed.
import { answer, judged, Untaught } from "./judge.js";
import { areOne, facts, groups } from "./looks.js";

const photos = new Map(), pairs = []; // what is known of each photo, and which two are one
let latest = 0, learned = null;

function remember({ photo }) {
  const mine = { ...photo, ...facts(photo) };
  for (const other of photos.values()) if (areOne(mine, other)) pairs.push([other.id, mine.id]);
  photos.set(photo.id, mine);
}

function forget({ ids }) {
  for (const id of ids) photos.delete(id);
  for (let i = pairs.length; i--;) if (!pairs[i].every(id => photos.has(id))) pairs.splice(i, 1);
}

class Overtaken extends Error {} // photos or labels have changed since

async function train({ labelled, labels }) { // labelled: pairs of a photo's id and the place of its label
  const turn = ++latest, place = new Map(labelled.map(([id], i) => [id, i]));
  const twins = pairs.filter(pair => pair.every(id => place.has(id)));
  const group = groups(labelled.length, twins.map(pair => pair.map(id => place.get(id))));
  const all = labelled.map(([id, y], i) => ({ ...photos.get(id), y, group: group[i] }));
  let since = performance.now();
  const pause = () => performance.now() - since < 50 ? null : new Promise((go, stop) => setTimeout(() => { // let news come in
    since = performance.now();
    if (turn === latest) go(); else stop(new Overtaken());
  }));
  learned = null;
  const found = await judged(all, labels.length, pause);
  if (turn !== latest) throw new Overtaken();
  learned = found;
  return { ...found, twins, labels, n: all.length, y: all.map(p => p.y), ids: all.map(p => p.id) };
}

const ask = ({ x }) => learned && answer(learned, x);

const can = { remember, forget, train, ask };
onmessage = async ({ data: { id, what, ...rest } }) => {
  try { postMessage({ id, answer: await can[what](rest) }); }
  catch (e) { postMessage({ id, wrong: e.message, kind: e instanceof Untaught ? "untaught" : e instanceof Overtaken ? "overtaken" : "error" }); }
};
