// A bundle, written byte by byte. An ONNX file is a list of fields, each with a number; a graph is one of them, and again such a list.

const text = new TextEncoder();

export function joined(...parts) {
  const arrays = parts.flat().map(p => typeof p === "string" ? text.encode(p) : p);
  const out = new Uint8Array(arrays.reduce((n, a) => n + a.length, 0));
  let place = 0;
  for (const a of arrays) { out.set(a, place); place += a.length; }
  return out;
}

// ---- Fields: a number and how it is written, then the value (Protocol Buffers, "Encoding")

function varint(n) { // seven bits a byte, the lowest first
  const bytes = [];
  for (; n > 127; n = Math.floor(n / 128)) bytes.push(n % 128 + 128);
  return Uint8Array.from([...bytes, n]);
}

function read(bytes, place) { // a number, and where it ends
  let n = 0, factor = 1;
  for (;; factor *= 128) {
    if (place >= bytes.length) throw new RangeError("this breaks off in the middle of a number");
    const byte = bytes[place++];
    n += (byte & 127) * factor;
    if (byte < 128) return [n, place];
  }
}

const field = (number, content) => joined(varint(8 * number + 2), varint(content.length), content);
const whole = (number, n) => joined(varint(8 * number), varint(n));

function* fields(bytes) { // number, content, and the field as it stands
  for (let place = 0; place < bytes.length;) {
    const start = place, [key, after] = read(bytes, place), wire = key % 8;
    let [size, at] = wire === 2 ? read(bytes, after) : [{ 1: 8, 5: 4 }[wire], after];
    if (wire === 0) [, place] = read(bytes, after); else place = at + size;
    if (!(place <= bytes.length)) throw new RangeError("this breaks off in the middle of a field");
    yield { number: (key - wire) / 8, content: bytes.subarray(at, place), all: bytes.subarray(start, place) };
  }
}

const GRAPH = 7, CONSTANT = 5, OUTPUT = 12; // of a model; of a graph
const name = (content, number) => new TextDecoder().decode([...fields(content)].find(f => f.number === number)?.content);

// ---- The network of this page has a head that has learned nothing: put in what has been learned

function constant(called, shape, values) { // a tensor: its shape, the kind of its numbers (1 float, 7 whole), name and numbers
  const kind = values instanceof Float32Array ? 1 : 7;
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return joined(...shape.map(n => whole(1, n)), whole(2, kind), field(8, text.encode(called)), field(9, bytes));
}

export function withHead(network, constants) { // constants: shape and values by name
  const model = [], graph = [];
  for (const f of fields(network)) {
    if (f.number !== GRAPH) { model.push(f.all); continue; }
    for (const g of fields(f.content)) {
      const old = g.number === CONSTANT && name(g.content, 8) in constants;
      const inner = g.number === OUTPUT && !["probs", "distance"].includes(name(g.content, 1));
      if (!old && !inner) graph.push(g.all);
    }
  }
  for (const [called, [shape, values]] of Object.entries(constants)) graph.push(field(CONSTANT, constant(called, shape, values)));
  return joined(model, field(GRAPH, joined(graph)));
}

const half = bits => { // a number that was stored in two bytes: a sign, five bits of an exponent, ten more
  const exponent = bits >> 10 & 31, size = exponent ? 2 ** (exponent - 15) * (1 + (bits & 1023) / 1024) : (bits & 1023) * 2 ** -24;
  return bits >> 15 ? -size : size;
};

export function constantOf(model, called) { // the numbers of a constant; undefined if there is none of that name
  const graph = [...fields(model)].find(f => f.number === GRAPH).content;
  const found = [...fields(graph)].find(f => f.number === CONSTANT && name(f.content, 8) === called);
  if (!found) return undefined;
  const part = number => [...fields(found.content)].find(f => f.number === number).content;
  const numbers = part(9).slice().buffer;
  return part(2)[0] === 10 ? Float32Array.from(new Uint16Array(numbers), half) : new Float32Array(numbers);
}

export function table(rows) { // rows in a row, each photo or label a column if they are turned
  const out = new Float32Array(rows.length * rows[0].length);
  rows.forEach((row, i) => out.set(row, i * row.length));
  return out;
}

export function turned(rows) {
  const out = new Float32Array(rows.length * rows[0].length);
  rows.forEach((row, i) => row.forEach((v, j) => { out[j * rows.length + i] = v; }));
  return out;
}

// ---- Weights as safetensors: how many bytes of JSON, the JSON, the numbers

export function safetensors(tensors) { // shape and values by name
  const about = {}, parts = [];
  let place = 0;
  for (const [called, [shape, values]] of Object.entries(tensors)) {
    const dtype = values instanceof Float32Array ? "F32" : "I32";
    about[called] = { dtype, shape, data_offsets: [place, place += values.byteLength] };
    parts.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  let head = JSON.stringify(about);
  head += " ".repeat((8 - head.length % 8) % 8);
  const size = new Uint8Array(8);
  new DataView(size.buffer).setUint32(0, head.length, true);
  return joined(size, head, parts);
}

export function tensorsOf(bytes) { // the way back
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true), start = 8 + size;
  const about = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))), found = {};
  for (const [called, { dtype, shape, data_offsets: [from, to] }] of Object.entries(about)) {
    if (called === "__metadata__") continue;
    const copy = bytes.slice(start + from, start + to).buffer;
    found[called] = { shape, values: dtype === "F32" ? new Float32Array(copy) : new Int32Array(copy) };
  }
  return found;
}

export async function fingerprint(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { sha256: Array.from(digest, b => b.toString(16).padStart(2, "0")).join(""), bytes: bytes.length };
}
