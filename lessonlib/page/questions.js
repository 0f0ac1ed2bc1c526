(box => {
// What is said to an answer stands once, in the fold below its question, where it can be read without a script
const said = item => item.querySelector("span").innerHTML;
const judges = {
  choice(form, items) {
    const chosen = [...form.querySelectorAll("input")].map(input => input.checked);
    if (!chosen.includes(true)) return [null, "Choose an answer first."];
    const right = items.every((item, i) => chosen[i] === (item.dataset.right === "1"));
    const replies = items.filter((item, i) => chosen[i]).map(said);
    const wrong = items.some((item, i) => chosen[i] && item.dataset.right === "0");
    if (!right && !wrong) replies.push("Something is missing: more than this holds.");
    return [right, replies.join(" ")];
  },
  number(form, items) {
    const typed = form.querySelector("input").value.replace("−", "-").replace(",", ".").replace(/\s/g, "");
    const plain = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?[^\d/]*$/i.test(typed); // a unit may follow
    const reply = plain ? parseFloat(typed) : NaN;
    if (Number.isNaN(reply)) return [null, "Type a number, such as 0.5."];
    const within = +form.dataset.within, off = reply - form.dataset.number;
    if (Math.abs(off) <= within) return [true, ""];
    const near = items.find(item => Math.abs(reply - item.dataset.at) <= within);
    return [false, near ? said(near) : off > 0 ? "Too large." : "Too small."];
  },
  code(form, items) {
    const typed = form.querySelector("textarea").value, name = form.dataset.name;
    if (!typed.match(/[\w]+/g)?.includes(name)) return [null, `Define <code>${name}</code>, which the examples call.`];
    const imports = form.querySelector("fieldset").textContent.matchAll(/>>> ((?:import|from) [^\n]*)/g);
    const given = [...imports].map(found => found[1]);
    const plain = text => window.plainPython(text, name, given);
    const known = items.map(item => plain(item.querySelector("pre").textContent));
    const item = items[known.indexOf(plain(typed))];
    if (item) return item.dataset.right === "1" ? [true, ""] : [false, said(item)];
    form.querySelector("details").open = true;
    return [null, "A page cannot run Python, and yours is none of the programs that this one knows. It may be right all the same: " +
      "compare it with the first one below, or open the notebook and let it run there, as said above."];
  },
};
const forms = [...box.querySelectorAll("form")].filter(form => form.dataset.kind in judges);
const check = form => {
  const [right, reply] = judges[form.dataset.kind](form, [...form.querySelectorAll("details li")]);
  const why = right ? form.querySelector(".why").innerHTML : "";
  const verdict = right === null ? "" : right ? "✓ Right." : "✗ Not yet.";
  form.dataset.said = right === null ? "" : right ? "right" : "wrong";
  form.querySelector("[role=status]").innerHTML = `<b>${verdict}</b> ${reply} ${why}`;
  const done = forms.filter(form => form.dataset.said === "right").length;
  box.querySelector(".score").textContent = `${done} of ${forms.length} right`;
};
for (const form of forms) {
  const button = form.querySelector("button");
  [button.hidden, button.type] = [false, "submit"];
  form.onsubmit = () => { check(form); return false; };
}
box.querySelector(".score").textContent = ""; // what it said is for front ends that leave this script out
box.onkeydown = event => event.stopPropagation(); // a notebook's shortcuts are not meant
})(document.currentScript.previousElementSibling)
