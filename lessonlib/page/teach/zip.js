// A zip without compression: photos are compressed already. Written and read by its specification (PKWARE, APPNOTE 6.3).
import { joined } from "./model.js";

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let i = 0; i < 8; i++) n = n & 1 ? n >>> 1 ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const b of bytes) crc = TABLE[(crc ^ b) & 255] ^ crc >>> 8;
  return (crc ^ 0xffffffff) >>> 0;
}

function numbers(...pairs) { // pairs of a size in bytes and a number, the lowest byte first
  return Uint8Array.from(pairs.flatMap(([size, n]) => Array.from({ length: size }, (_, i) => Math.floor(n / 256 ** i) % 256)));
}

const UTF8 = 0x0800, DAY = 0x21; // names are in UTF-8; the first day that a zip knows

export async function zip(files) { // pairs of a name and bytes, or a blob, which stays on disk
  const parts = [], entries = [];
  let place = 0;
  for (const [name, content] of files) {
    const bytes = content instanceof Blob ? new Uint8Array(await content.arrayBuffer()) : content;
    const called = new TextEncoder().encode(name);
    const facts = numbers([2, 20], [2, UTF8], [2, 0], [2, 0], [2, DAY], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, called.length], [2, 0]);
    entries.push(joined(numbers([4, 0x02014b50], [2, 20]), facts, numbers([2, 0], [2, 0], [2, 0], [4, 0], [4, place]), called));
    parts.push(numbers([4, 0x04034b50]), facts, called, content);
    place += 30 + called.length + bytes.length;
  }
  if (place > 4e9 || entries.length > 65000) throw new NoZip("This is more than a zip file can hold.");
  const size = entries.reduce((n, e) => n + e.length, 0);
  const end = numbers([4, 0x06054b50], [2, 0], [2, 0], [2, entries.length], [2, entries.length], [4, size], [4, place], [2, 0]);
  return new Blob([...parts, ...entries, end], { type: "application/zip" });
}

export class NoZip extends Error {} // the words are for the visitor

export async function unzip(blob, most = 2e9) { // bytes by name; raises `NoZip`
  const bytes = new Uint8Array(await blob.arrayBuffer()), view = new DataView(bytes.buffer);
  const short = place => view.getUint16(place, true), long = place => view.getUint32(place, true);
  let end = bytes.length - 22;
  while (end >= 0 && end > bytes.length - 66000 && long(end) !== 0x06054b50) end--;
  if (end < 0 || long(end) !== 0x06054b50) throw new NoZip("This is no zip file, or not all of it.");
  const files = {};
  try {
    let total = 0;
    for (let i = 0, place = long(end + 16); i < short(end + 10); i++) {
      const name = new TextDecoder().decode(bytes.subarray(place + 46, place + 46 + short(place + 28)));
      const packed = bytes.subarray(start(view, long(place + 42)), start(view, long(place + 42)) + long(place + 20));
      if ((total += long(place + 24)) > most) throw new NoZip("This zip holds more than this page can take.");
      if (!name.endsWith("/")) files[name] = await unpacked(packed, short(place + 10), long(place + 24), long(place + 16), name);
      place += 46 + short(place + 28) + short(place + 30) + short(place + 32);
    }
  } catch (e) { throw e instanceof NoZip ? e : new NoZip("This zip is damaged."); }
  return files;
}

const start = (view, place) => place + 30 + view.getUint16(place + 26, true) + view.getUint16(place + 28, true);

async function unpacked(packed, method, size, crc, name) { // some program may have zipped it again, and compressed it
  let bytes = packed;
  if (method === 8) bytes = await inflated(packed, size);
  if (![0, 8].includes(method) || bytes.length !== size || crc32(bytes) !== crc) throw new NoZip(`${name} in this zip is damaged.`);
  return bytes;
}

async function inflated(packed, size) { // no more than was announced
  const reader = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const out = new Uint8Array(size);
  for (let place = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return out;
    out.set(value, place); // a RangeError if there is more
    place += value.length;
  }
}
