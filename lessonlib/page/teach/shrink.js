// A photo made small, number for number as Pillow does it: each new pixel is a mean of those that it covers, and the nearer ones count more.
// First across, then down, and rounded to whole numbers each time. Shares are whole numbers too, of 2²²: so a half is rounded as there.

const WHOLE = 2 ** 22;

export function taps(from, to, start = 0, length = from) { // for each new pixel: the first of the old ones, and how much each counts
  const scale = length / to, reach = Math.max(1, scale);
  return Array.from({ length: to }, (_, i) => {
    const centre = start + (i + 0.5) * scale, first = Math.max(0, Math.floor(centre - reach + 0.5));
    const last = Math.min(from, Math.floor(centre + reach + 0.5));
    const shares = Float64Array.from({ length: last - first }, (_, j) => Math.max(0, 1 - Math.abs((first + j - centre + 0.5) * (1 / reach))));
    const all = shares.reduce((a, b) => a + b);
    return { first, shares: shares.map(s => Math.floor(0.5 + WHOLE * (s * (1 / all)))) };
  });
}

export function across(pixels, rows, width, step, colours, by, out = new Uint8Array(rows * by.length * colours), place = 0) {
  for (let row = 0; row < rows; row++) for (const { first, shares } of by) for (let colour = 0; colour < colours; colour++) {
    let sum = WHOLE / 2, at = (row * width + first) * step + colour;
    for (let j = 0; j < shares.length; j++, at += step) sum += shares[j] * pixels[at];
    out[place++] = sum / WHOLE;
  }
  return out;
}

export function down(pixels, wide, by) {
  const out = new Uint8Array(by.length * wide);
  by.forEach(({ first, shares }, row) => {
    for (let column = 0; column < wide; column++) {
      let sum = WHOLE / 2, at = first * wide + column;
      for (let j = 0; j < shares.length; j++, at += wide) sum += shares[j] * pixels[at];
      out[row * wide + column] = sum / WHOLE;
    }
  });
  return out;
}

export function square(bitmap, size) { // RGB, strip by strip, since phones limit the size of a canvas
  const { width, height } = bitmap, rows = Math.min(height, 256), wide = new Uint8Array(height * size * 3), by = taps(width, size);
  const c = new OffscreenCanvas(width, rows).getContext("2d", { willReadFrequently: true });
  for (let y = 0; y < height; y += rows) {
    const now = Math.min(rows, height - y);
    c.fillStyle = "#fff"; c.fillRect(0, 0, width, rows); // what shows through where the photo is transparent
    c.drawImage(bitmap, 0, -y);
    across(c.getImageData(0, 0, width, now).data, now, width, 4, 3, by, wide, y * size * 3);
  }
  return down(wide, size * 3, taps(height, size));
}
