// What the page shows: pieces of it, made from what is known. Text is only ever set as text, so that markup in a name stays a name.

export const $ = id => document.getElementById(id);

export function make(tag, facts = {}, ...children) {
  const element = Object.assign(document.createElement(tag), facts);
  element.append(...children);
  return element;
}

export const mega = n => +(n / 1e6).toPrecision(3);

export function percent(p) { // the space before % does not break
  if (p > 0.999 && p < 1) return "> 99.9\u00a0%";
  if (p > 0 && p < 0.001) return "< 0.1\u00a0%";
  return `${(100 * p).toFixed(1)}\u00a0%`;
}

export const photos = n => n === 1 ? "1 photo" : `${n} photos`;

export function tile(photo, show, name, caption) { // a photo that opens when it is chosen
  const img = make("img", { alt: "", loading: "lazy", decoding: "async" });
  if (photo.thumb) img.src = photo.address ??= URL.createObjectURL(photo.thumb);
  const button = make("button", { type: "button", onclick: () => show(photo) }, img);
  button.setAttribute("aria-label", caption ? `${name}: ${caption}` : name);
  if (caption) button.append(make("small", { textContent: caption }));
  return make("li", {}, button);
}

export function bars(labels, probs) { // the likeliest first
  const order = labels.map((label, i) => ({ label, p: probs[i] })).sort((a, b) => b.p - a.p);
  return order.slice(0, 5).map(({ label, p }) => {
    const bar = make("i");
    bar.style.setProperty("--share", `${100 * p}%`);
    return make("li", {}, label, make("data", { value: p, textContent: percent(p) }), bar);
  });
}

export function words({ probs, best, known, sure }, labels) { // as `Classifier.answer` says it
  if (!known) return "None of these";
  const likeliest = `${labels[best]}, ${percent(probs[best])}`;
  return sure ? likeliest : `Not sure: perhaps ${likeliest}`;
}

export function complain(...sentences) { // at most five are shown
  const more = sentences.length - 5, shown = more > 0 ? [...sentences.slice(0, 5), `And ${more} more.`] : sentences;
  $("wrong").append(...shown.map(textContent => make("p", { textContent })));
  while ($("wrong").children.length > 6) $("wrong").firstChild.remove();
}

export function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function chosen(dialog) { // opens it, and promises the value of the button that closed it
  dialog.onclose?.(); // a browser tells of a close a moment later, when the next question may be open already
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise(told => { dialog.onclose = () => { if (!dialog.open) told(dialog.returnValue); }; });
}

export async function ask(question, yes) { // a dialog with two buttons: was the first one chosen?
  const dialog = $("sure");
  $("h-sure").textContent = question;
  dialog.querySelector("[value=yes]").textContent = yes;
  return await chosen(dialog) === "yes";
}
