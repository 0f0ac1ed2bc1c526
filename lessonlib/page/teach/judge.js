// How often the head is wrong, when it may answer, and what is a stranger to it: as lessonlib's Python finds them.
import { descend, dot, head, lesson, probabilities, STRENGTHS } from "./head.js";

export const Z = 1.3 * 1.96; // out of fold, photos share their teachers: an interval for them is wider

export class Untaught extends Error {} // there is nothing to learn yet; the words are for the visitor

// ---- Folds: the photos of each label are dealt like cards, near duplicates with each other

const smallest = numbers => numbers.reduce((a, b) => Math.min(a, b));

export function folds(photos, labels, most) { // photos: label, group and key, which the deal goes by
  const firsts = new Map();
  photos.forEach((p, i) => { const f = firsts.get(p.group); if (f === undefined || p.key < photos[f].key) firsts.set(p.group, i); });
  const piles = Array.from({ length: labels }, () => []);
  for (const i of firsts.values()) piles[photos[i].y].push(i);
  const counts = piles.map(pile => pile.length).filter(Boolean);
  if (Math.max(...counts) < 2) throw new Untaught("All photos of each class are one photo: add others.");
  const n = Math.min(most, Math.max(2, smallest(counts))), foldOf = new Map();
  const byKey = (i, j) => photos[i].key < photos[j].key ? -1 : 1;
  piles.flatMap(pile => pile.sort(byKey)).forEach((i, place) => foldOf.set(photos[i].group, place % n));
  return { n, of: photos.map(p => foldOf.get(p.group)) };
}

// ---- Each photo judged by a head that has not seen it, nor a near duplicate of it

function lessons(photos, labels, most) { // for each fold: what there is to learn from, and which photos are to be judged
  const { n, of } = folds(photos, labels, most);
  return Array.from({ length: n }, (_, fold) => {
    const learn = photos.filter((_, i) => of[i] !== fold);
    return { ...lesson(learn.map(p => p.x), learn.map(p => p.y), labels), judge: photos.map((_, i) => i).filter(i => of[i] === fold) };
  });
}

export async function outOfFold(photos, parts, strength, pause, near) { // a row of probabilities for each photo
  const probs = [];
  for (const part of parts) {
    part.found = descend(part, strength, part.found, near); // from where it is, if it has been there with another strength
    const learned = head(part, part.found);
    for (const i of part.judge) probs[i] = probabilities(learned, photos[i].x);
    await pause();
  }
  return probs;
}

export async function chooseStrength(photos, labels, pause) { // by which right labels are likeliest out of fold
  const counts = countOf(photos, labels), unequal = Math.max(...counts) > 2 * smallest(counts);
  const parts = lessons(photos, labels, 5), best = { loss: Infinity };
  for (const balanced of unequal ? [false, true] : [false]) {
    for (const part of parts) part.found = undefined;
    let before = Infinity;
    for (const C of STRENGTHS) {
      const loss = meanLoss(await outOfFold(photos, parts, { C, balanced }, pause, 1e-3), photos, counts);
      if (loss < best.loss) Object.assign(best, { loss, strength: { C, balanced } });
      if (loss > before) break; // weights that may grow even more will not be better
      before = loss;
    }
  }
  return best.strength;
}

function meanLoss(probs, photos, counts) { // of the right labels, a mean over labels
  const sums = counts.map(() => 0);
  photos.forEach((p, i) => { sums[p.y] -= Math.log(Math.max(probs[i][p.y], 1e-9)); });
  return sums.reduce((total, s, k) => total + s / counts[k], 0) / counts.length;
}

export const countOf = (photos, labels) => Array.from({ length: labels }, (_, k) => photos.filter(p => p.y === k).length);

// ---- The error, between its limits (Wilson, 1927)

export function interval(wrong, n, z = Z) {
  const p = wrong / n, zz = z * z / n, middle = p + zz / 2, half = z * Math.sqrt(p * (1 - p) / n + zz / (4 * n));
  return { rate: p, low: Math.max(0, middle - half) / (1 + zz), high: Math.min(1, (middle + half) / (1 + zz)) };
}

export const likeliest = probs => probs.indexOf(Math.max(...probs));

// ---- What a probability is worth, and below which one the answer is "not sure"

export function tempered(probs, temperature) {
  if (temperature === 1) return probs;
  const odds = probs.map(p => Math.max(p, 1e-30) ** (1 / temperature)), sum = odds.reduce((a, b) => a + b);
  return odds.map(o => o / sum);
}

function temperatureFor(probs, y) { // at which the right labels are likeliest; the interval shrinks by the golden ratio
  const loss = log => probs.reduce((total, p, i) => total - Math.log(Math.max(tempered(p, Math.exp(log))[y[i]], 1e-30)), 0);
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.log(0.1), Math.log(10)];
  while (high - low > 1e-5) {
    const a = high - golden * (high - low), b = low + golden * (high - low);
    if (loss(a) < loss(b)) high = b; else low = a;
  }
  return Math.exp((low + high) / 2);
}

export function trust(probs, y) { // `temperature` and `unsure_below`, where there is something to learn
  const wrong = probs.filter((p, i) => likeliest(p) !== y[i]).length;
  if (!wrong) return {};
  const exact = temperatureFor(probs, y), temperature = Math.round(1000 * exact) / 1000;
  const answers = probs.map((p, i) => ({ sure: Math.max(...tempered(p, exact)), wrong: likeliest(p) !== y[i] }));
  answers.sort((a, b) => b.sure - a.sure);
  const most = Math.max(0.01, wrong / y.length / 4);
  let n = 0, bad = 0, least;
  answers.forEach(({ sure, wrong }, i) => { // from the surest answer down
    n += 1; bad += wrong;
    if (sure !== answers[i + 1]?.sure && bad / n <= most) least = sure;
  });
  return least === undefined ? { temperature } : { temperature, unsure_below: Math.floor(1000 * least) / 1000 };
}

// ---- How far a photo is from the nearest of those that were learned from: 0 the same, 2 the opposite

export const unit = row => { const length = Math.max(Math.sqrt(dot(row, row)), 1e-9); return row.map(v => v / length); };

function far(similar, nearest) {
  similar.sort((a, b) => b - a);
  return 1 - similar.slice(0, nearest).reduce((a, b) => a + b, 0) / nearest;
}

export const distance = (row, seen) => { const u = unit(row); return far(seen.map(s => dot(u, s)), Math.min(5, seen.length)); };

export function strangerLimit(photos) { // the distance that 97 % of the photos keep to the others
  const seen = photos.map(p => unit(p.x)), nearest = Math.min(5, photos.length - 1);
  const own = seen.map((u, i) => far(seen.map((s, j) => photos[i].group === photos[j].group ? -1 : dot(u, s)), nearest));
  own.sort((a, b) => a - b);
  const place = 0.97 * (own.length - 1), below = Math.floor(place);
  return own[below] + (place - below) * ((own[below + 1] ?? own[below]) - own[below]);
}

// ---- All of it in a row

export async function judged(photos, labels, pause) {
  const counts = countOf(photos, labels);
  if (labels < 2) throw new Untaught("Add a second class: there is nothing to tell apart yet.");
  if (counts.some(n => n < 2)) throw new Untaught("Each class needs two photos, to learn from one and to judge by the other.");
  const y = photos.map(p => p.y), strength = await chooseStrength(photos, labels, pause);
  const probs = await outOfFold(photos, lessons(photos, labels, 10), strength, pause);
  const all = lesson(photos.map(p => p.x), y, labels), learned = head(all, descend(all, strength, undefined, 1e-5));
  const wrong = probs.filter((p, i) => likeliest(p) !== y[i]).length;
  return { strength, probs, wrong, ...learned, ...trust(probs, y), error: interval(wrong, y.length),
    stranger_above: Math.round(1e4 * strangerLimit(photos)) / 1e4, seen: photos.map(p => unit(p.x)) };
}

export function answer(learned, row) { // the rules of `Classifier.answer`
  const probs = tempered(probabilities(learned, row), learned.temperature ?? 1), best = likeliest(probs);
  const known = distance(row, learned.seen) <= learned.stranger_above;
  return { probs, best, known, sure: probs[best] >= (learned.unsure_below ?? 0) };
}
