const slides = [...document.querySelectorAll(".slide")], root = document.documentElement;
const part = id => document.getElementById(id), steps = slide => slide.querySelectorAll(".step");
let at = 0, seen = 0, other = null, from = null; // slide, its steps that are seen, window of notes, start of a swipe

// Code, and then all text, shrinks until it fits its slide; what is too large even then can be scrolled
const wide = box => box.scrollWidth > box.clientWidth, tall = box => box.scrollHeight > box.clientHeight + 1;
const shrink = (box, size, large) => {
  for (let share = 1; share > .5; share -= .05) {
    box.style.setProperty(size, share.toFixed(2));
    if (!large(box)) return;
  }
};
const fit = slide => {
  const boxes = slide.querySelectorAll("pre, .made");
  boxes.forEach(box => shrink(box, "--code", wide));
  shrink(slide, "--size", tall);
  boxes.forEach(box => box.tabIndex = wide(box) ? 0 : -1);
};

// The address says where we are: #5, or #5.2 with two steps seen. So a reload stays, and another window can follow
const show = () => {
  const [number, done] = location.hash.slice(1).split(".").map(Number);
  at = Math.min(Math.max(number || 1, 1), slides.length) - 1;
  seen = Math.min(done || 0, steps(slides[at]).length);
  slides.forEach((slide, i) => slide.classList.toggle("now", i === at));
  steps(slides[at]).forEach((step, i) => step.classList.toggle("seen", i < seen));
  part("place").value = `${at + 1} / ${slides.length}`;
  fit(slides[at]);
  slides[at].scrollIntoView({block: "nearest"});
  slides[at].focus({preventScroll: true});
};
const go = (to, done = 0) => {
  if (!slides[to]) return;
  const step = Math.min(done, steps(slides[to]).length);
  location.replace(`#${to + 1}${step ? "." + step : ""}`);
  show();
  for (const view of [other, opener]) view?.postMessage(location.hash, "*");
};
const inAll = () => root.matches(".overview");
const on = () => inAll() || seen === steps(slides[at]).length ? go(at + 1) : go(at, seen + 1);
const back = () => inAll() ? go(at - 1) : seen ? go(at, seen - 1) : go(at - 1, 99);
const jump = way => {
  for (let to = at + way; slides[to]; to += way) if (!slides[to].matches(".detail")) return go(to);
};
const turn = name => (root.classList.toggle(name), show()), all = () => turn("overview"), help = () => part("keys").showModal();
const keys = {ArrowRight: on, ArrowDown: on, " ": on, PageDown: on, ArrowLeft: back, ArrowUp: back, PageUp: back,
  Home: () => go(0), End: () => go(slides.length - 1, 99), o: all, Escape: all, Enter: () => inAll() && all(),
  c: () => slides[at].querySelectorAll(".code").forEach(fold => fold.open = !fold.open), n: () => turn("noted"),
  s: () => other = open(location.href, "lessonlib-notes", "popup,width=900,height=700"), b: () => turn("blank"),
  d: () => root.style.colorScheme = root.style.colorScheme === "dark" ? "light" : "dark", "?": help};

addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey || part("keys").open) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key, on = name => event.target.closest(name);
  if (key === "Escape" && on("input")) return slides[at].focus(); // all other keys belong to a slider,
  if (on("input, select, textarea") && !/^Page/.test(key)) return; // but for those of a presenter's remote
  if (/^( |Enter)$/.test(key) && on("button, summary, a") || /Up$|Down$/.test(key) && key[0] === "A" && tall(slides[at])) return;
  if (!keys[key]) return;
  event.preventDefault();
  const way = {ArrowRight: 1, ArrowLeft: -1}[key];
  event.shiftKey && way ? jump(way) : event.shiftKey && key === " " ? back() : keys[key]();
}, true);
document.querySelector("main").onclick = ({target, clientX}) => {
  if (inAll()) return go(slides.indexOf(target.closest(".slide"))), all();
  if (target.closest("a, button, input, label, summary, pre, form, .sliders, .notes")) return; // meant for itself
  if (getSelection().isCollapsed) clientX < innerWidth / 4 ? back() : on();
};
addEventListener("touchstart", ({touches, target}) =>
  from = touches.length > 1 || target.closest("input, .made, pre[tabindex='0']") ? null : touches[0]);
addEventListener("touchend", ({changedTouches: [to]}) => {
  const x = from ? to.clientX - from.clientX : 0, y = from ? to.clientY - from.clientY : 0;
  if (Math.abs(x) > 50 && Math.abs(x) > 2 * Math.abs(y)) x < 0 ? on() : back();
});
for (const [id, act] of Object.entries({back, next: on, all, help})) part(id).onclick = act;
onmessage = ({source, data}) => [other, opener].includes(source) && /^#[\d.]+$/.test(data) && (location.replace(data), show());
onbeforeprint = () => { root.classList.add("every"); slides.forEach(fit); };
onafterprint = () => { root.classList.remove("every"); show(); };
onhashchange = show;
onresize = () => fit(slides[at]), addEventListener("toggle", onresize, true);
root.style.colorScheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
root.classList.add("talk", ...name === "lessonlib-notes" ? ["noted", "speaker"] : []);
document.querySelector("nav").hidden = false, show();
