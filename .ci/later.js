// Quarto's search, half of what its pages weigh, comes when somebody asks for it: a press of the button or of its keys.
(() => {
  const folder = document.currentScript.src.replace(/[^/]*$/, "");
  const address = window.askedAddress = new URL(location);
  const asked = address.searchParams.has("q");  // a result was followed: its words are to be marked, and no link needs them
  if (asked) {
    const plain = new URL(address);
    plain.searchParams.delete("q");
    history.replaceState({}, "", plain);
  }
  const load = name => new Promise((good, bad) => {
    const script = Object.assign(document.createElement("script"), { src: folder + name, onload: good, onerror: bad });
    document.head.append(script);
  });
  let coming;
  const come = () => coming ||= (async () => {
    for (const name of ["autocomplete.umd.js", "fuse.min.js"]) await load(name);
    document.querySelector("#quarto-search .aa-Autocomplete").remove();
    await load("quarto-search.js");
  })();
  const open = async () => { await come(); window.quartoOpenSearch(); };
  const show = () => {
    const box = document.getElementById("quarto-search");
    box.classList.add("type-overlay");
    box.innerHTML = `<div class="aa-Autocomplete"><button type="button" class="aa-DetachedSearchButton" aria-label="Search">
      <div class="aa-DetachedSearchButtonIcon"><svg class="aa-SubmitIcon" viewBox="0 0 24 24" width="20" height="20" fill="none" stroke="currentColor" stroke-width="2">
      <circle cx="10" cy="10" r="6.5"/><path d="M15 15l6 6"/></svg></div></button></div>`;
    box.querySelector("button").onclick = open;
    if (asked || address.searchParams.has("show-results")) come();
  };
  const keys = event => {
    const busy = document.activeElement.matches("input, select, textarea, button, option, [contenteditable]");
    const options = JSON.parse(document.getElementById("quarto-search-options").textContent);
    if (!coming && !busy && options["keyboard-shortcut"]?.includes(event.key)) open();
  };
  addEventListener("DOMContentLoaded", () => { if (document.getElementById("quarto-search")) show(); });
  addEventListener("keyup", keys);
})();
