// Whether two photos are one, perhaps smaller, saved anew, mirrored or cut by up to 5 %: as lessonlib.looks finds it.
import { dot } from "./head.js";
import { unit } from "./judge.js";
import { across, down, taps } from "./shrink.js";

const SIDE = 32, LEAST = 0.91;

// ---- A picture of 32 × 32 grey pixels

export function grey(rgb) { // of pixels that a photo was made small to
  return Uint8Array.from({ length: rgb.length / 3 }, (_, i) => (19595 * rgb[3 * i] + 38470 * rgb[3 * i + 1] + 7471 * rgb[3 * i + 2] + 32768) >> 16);
}

function window(pixels, side, x = 0, y = 0, length = side) { // a square part of a picture, at 32 × 32
  return down(across(pixels, side, side, 1, 1, taps(side, SIDE, x, length)), SIDE, taps(side, SIDE, y, length));
}

export const look = rgb => window(grey(rgb), Math.sqrt(rgb.length / 3));

// ---- How much of one picture is explained by another, each shifted a little

const mirrored = picture => picture.map((_, i) => picture[i - i % SIDE + SIDE - 1 - i % SIDE]);

function windows(picture) {
  const gap = 0.05 * SIDE, places = [0, gap / 2, gap];
  return [picture, ...places.flatMap(x => places.map(y => window(picture, SIDE, x, y, SIDE - gap)))];
}

function energy(a) {
  const mean = a.reduce((s, v) => s + v, 0) / a.length;
  return a.reduce((s, v) => s + (v - mean) ** 2, 0);
}

function overlap(a, b) {
  const apart = a.reduce((s, v, i) => s + (v - b[i]) ** 2, 0);
  return 1 - apart / Math.max(energy(a) + energy(b), SIDE * SIDE * 9);
}

export function likeness(a, b) { // 1 if they are the same, 0 or less if they have nothing in common
  const ours = windows(a);
  return Math.max(...[b, mirrored(b)].flatMap(other => {
    const theirs = windows(other);
    return [...theirs.map(t => overlap(ours[0], t)), ...ours.map(o => overlap(o, theirs[0]))];
  }));
}

// ---- Which photos belong together

function flat(picture) { // 8 × 8 pixels of it, around their mean, of length 1
  const few = [];
  for (let y = 2; y < SIDE; y += 4) for (let x = 2; x < SIDE; x += 4) few.push(picture[y * SIDE + x]);
  const mean = few.reduce((a, b) => a + b) / few.length, centred = few.map(v => v - mean);
  const length = Math.max(8, Math.sqrt(dot(centred, centred)));
  return centred.map(v => v / length);
}

export const facts = ({ x, look }) => ({ unit: unit(x), look, flat: look && flat(look), back: look && flat(mirrored(look)) });

export function areOne(a, b) { // are two photos, as `facts` describes them, one?
  const similar = dot(a.unit, b.unit);
  if (!a.look || !b.look) return similar > 0.999;
  const alike = similar > 0.75 ? Math.max(dot(a.flat, b.flat), dot(a.flat, b.back)) : 0;
  return (similar > 0.999 || alike > 0.6) && likeness(a.look, b.look) >= LEAST;
}

export function groups(n, pairs) { // a number for each photo; those that a chain of pairs joins share one
  const group = Array.from({ length: n }, (_, i) => i);
  const first = i => group[i] === i ? i : (group[i] = first(group[i]));
  for (const [i, j] of pairs) group[Math.max(first(i), first(j))] = Math.min(first(i), first(j));
  return group.map((_, i) => first(i));
}
