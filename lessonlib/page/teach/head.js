// The head: lesson 3's loop, on what a network has seen in photos. A photo is a row of numbers, its features.

export const STRENGTHS = [1e-4, 1e-3, 1e-2, 0.1, 1]; // how freely weights may grow: `C` in Python

// ---- Photos in a common measure, and how much each has in common with each

export function statistics(rows) { // mean and deviation of each feature
  const mean = new Float64Array(rows[0].length), scale = new Float64Array(rows[0].length);
  for (const row of rows) row.forEach((v, f) => { mean[f] += v / rows.length; });
  for (const row of rows) row.forEach((v, f) => { scale[f] += (v - mean[f]) ** 2 / rows.length; });
  return { mean, scale: scale.map(v => Math.sqrt(v) + 1e-3) };
}

export const standardised = (row, { mean, scale }) => row.map((v, f) => (v - mean[f]) / scale[f]);

export function dot(a, b) { // four sums at a time, which a processor adds side by side
  let s = 0, t = 0, u = 0, v = 0, i = 0;
  for (; i + 3 < a.length; i += 4) {
    s += a[i] * b[i]; t += a[i + 1] * b[i + 1]; u += a[i + 2] * b[i + 2]; v += a[i + 3] * b[i + 3];
  }
  for (; i < a.length; i++) s += a[i] * b[i];
  return s + t + u + v;
}

function products(rows) { // of each row with each
  const table = rows.map(() => new Float64Array(rows.length));
  rows.forEach((row, i) => { for (let j = 0; j <= i; j++) table[i][j] = table[j][i] = dot(row, rows[j]); });
  return table;
}

export function lesson(rows, y, labels) { // all that the loop has to know: photos, the place of each one's label, how many labels
  const measure = statistics(rows), z = rows.map(row => standardised(row, measure));
  const counts = Array.from({ length: labels }, (_, k) => y.filter(v => v === k).length);
  return { measure, z, y, counts, common: products(z) };
}

// ---- From scores to probabilities

export function softmax(scores) {
  const top = Math.max(...scores), odds = scores.map(s => Math.exp(s - top)), sum = odds.reduce((a, b) => a + b);
  return odds.map(o => o / sum);
}

// ---- The loop. Weights start at zero, and each step adds to them multiples of photos. So they are always a sum of photos,
// and it is enough to know how much of each photo is in it: `parts`, for each label a number a photo, not a number a feature.
// The score of a photo is then the sum over photos of a part times what the two have in common.

export function descend({ y, counts, common }, { C, balanced }, start, near = 2e-5) {
  const known = counts.filter(Boolean).length;
  const weight = y.map(k => balanced ? y.length / known / counts[k] : 1); // photos of rare labels may count more
  const decay = (known === 2 ? 2 : 1) / C; // of two labels, scikit-learn limits the difference of their weights
  const safe = 1 / (steepness(common) * Math.max(...weight) / 2 + decay); // a step that never leads up
  let { parts, bias } = start ?? { parts: columns(counts.length, y.length), bias: counts.map(n => n ? 0 : -30) };
  let ahead = parts, biasAhead = bias, steps = 0, lossBefore = Infinity, bold = 1;
  for (let step = 0; step < 3000; step++) {
    const sums = ahead.map(part => common.map(row => dot(row, part)));
    const { errors, loss } = compared(sums.map((s, k) => s.map(v => v + biasAhead[k])), y, weight);
    const grad = ahead.map((part, k) => part.map((v, i) => errors[k][i] + decay * v));
    const biasGrad = errors.map((e, k) => counts[k] ? sum(e) : 0);
    const decayed = loss + decay / 2 * sum(ahead.map((part, k) => dot(part, sums[k])));
    const rises = decayed > lossBefore;
    steps = rises ? 0 : steps + 1; // since when the loss falls: momentum grows with it, and starts anew
    bold = rises ? Math.max(1, bold / 2) : 1.03 * bold; // as long as it falls, longer steps are tried
    const mom = steps / (steps + 3), lr = bold * safe, biasLr = 2 * bold / sum(weight);
    const next = ahead.map((part, k) => part.map((v, i) => v - lr * grad[k][i]));
    const biasNext = biasAhead.map((b, k) => b - biasLr * biasGrad[k]);
    ahead = next.map((part, k) => part.map((v, i) => v + mom * (v - parts[k][i])));
    biasAhead = biasNext.map((b, k) => b + mom * (b - bias[k]));
    [parts, bias, lossBefore] = [next, biasNext, decayed];
    if (grad.every(g => g.every(v => Math.abs(v) < near))) break;
  }
  return { parts, bias };
}

const sum = numbers => numbers.reduce((a, b) => a + b, 0);
const columns = (many, long) => Array.from({ length: many }, () => new Float64Array(long));

function compared(scores, y, weight) { // how far each probability is from what it should be, and the loss
  const errors = columns(scores.length, y.length);
  let loss = 0;
  y.forEach((right, i) => {
    const probs = softmax(scores.map(s => s[i]));
    loss -= weight[i] * Math.log(Math.max(probs[right], 1e-30));
    probs.forEach((p, k) => { errors[k][i] = weight[i] * (p - (k === right)); });
  });
  return { errors, loss };
}

function steepness(common) { // how fast a slope can change: the largest eigenvalue, found by repeated products
  let direction = common.map((_, i) => Math.sin(i + 1)), length = 1;
  for (let i = 0; i < 20; i++) {
    direction = common.map(row => dot(row, direction));
    length = Math.sqrt(dot(direction, direction)) || 1;
    direction = direction.map(v => v / length);
  }
  return 1.1 * length; // twenty products come near from below
}

// ---- The head that is found: one product and one sum a label, as a bundle holds them

export function head({ measure, z }, { parts, bias }) {
  const weights = parts.map(part => {
    const w = new Float64Array(z[0].length);
    z.forEach((row, i) => { for (let f = 0; f < w.length; f++) w[f] += part[i] * row[f]; });
    return w.map((v, f) => v / measure.scale[f]);
  });
  return { weights, bias: bias.map((b, k) => b - dot(weights[k], measure.mean)) };
}

export const probabilities = ({ weights, bias }, row) => softmax(weights.map((w, k) => dot(w, row) + bias[k]));

export const fit = (rows, y, labels, strength) => {
  const all = lesson(rows, y, labels);
  return head(all, descend(all, strength, undefined, 1e-5));
};
