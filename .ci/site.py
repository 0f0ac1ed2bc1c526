#!/usr/bin/env python3
"""Build the docs site from nbs/ and _quarto.yml, and check every page and link of it.

nbdev processes the notebooks; `stage` makes of them a plain folder that two site builders read alike:
Quarto (with --quarto) and smalldocs, which needs nothing but Python. No page asks for anything from the network."""
import argparse, html, json, os, re, shutil, subprocess, sys, tempfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parents[1]
SOURCE = re.compile(r"\[source\]\((/blob/[^)]*)\)\{[^}]*\}\n*")  # nbdev's link to the line of code
LINK = re.compile(r"(?<=\]\()(\w+)\.ipynb")                      # a link from page to page
WIDGET = "application/vnd.jupyter.widget-view+json"              # alive only with a kernel
REMOTE = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)")  # what a style sheet fetches
CODE = {"pre", "code", "script", "style"}


def text_of(s): return "".join(s) if isinstance(s, list) else s


def intro(notebook):
    "What the first cell says after its title and subtitle: nbdev takes both for the front matter and drops the rest"
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    first = next((text_of(c["source"]) for c in cells if c["cell_type"] == "markdown"), "")
    return re.sub(r"\A\s*#\s.*\n*(>.*\n*)?", "", first) if first.lstrip().startswith("# ") else ""


def tidy(notebook, names, source_url):
    "Give one processed notebook what both builders need: its intro, working links, no dead widgets"
    nb = json.loads(notebook.read_text(encoding="utf-8"))
    link = lambda s: LINK.sub(lambda m: f"{names.get(m[1], m[1])}.ipynb", s)
    source = lambda m: m[0].replace(m[1], source_url+m[1]) if source_url else ""
    for c in nb["cells"]:
        s = text_of(c["source"])
        if c["cell_type"] == "raw": s = re.sub(r"^output-file:.*\n", "", s, flags=re.M)
        c["source"] = link(s) if c["cell_type"] == "markdown" else s
        outputs = [o for o in c.get("outputs", []) if WIDGET not in o.get("data", {})]
        if "outputs" in c: c["outputs"] = outputs
        for o in outputs:
            data = o.get("data", {})
            if "text/markdown" in data:
                data["text/markdown"] = link(SOURCE.sub(source, text_of(data["text/markdown"])))
    said = intro(ROOT/"nbs"/notebook.name)
    if said: nb["cells"].insert(1, dict(cell_type="markdown", id="intro", metadata={}, source=link(said)))
    nb["metadata"].pop("widgets", None)
    prose = "\n".join(c["source"] for c in nb["cells"] if c["cell_type"] == "markdown")
    divs = re.findall(r"^:{3,} *(\S?)", prose, re.M)  # one that closes a div has nothing behind it
    if divs.count("")*2 != len(divs): sys.exit(f"{notebook.name}: not every div (:::) is opened and closed")
    return json.dumps(nb)


def stage(dest):
    "Process nbs/ with nbdev, and put the result in `dest`, each page under the name that nbdev's links give it"
    from nbdev.serve import proc_nbs
    os.chdir(ROOT)
    shutil.move(proc_nbs(force=True, n_workers=2), dest)
    repo = os.environ.get("GITHUB_REPOSITORY")
    source_url = f"{os.environ['GITHUB_SERVER_URL']}/{repo}" if repo else ""
    books = sorted(dest.glob("*.ipynb"))
    says = {b: re.search(r"output-file: (\w+)\.html", b.read_text(encoding="utf-8")) for b in books}
    names = {b.stem: m[1] if m else b.stem for b, m in says.items()}
    for b in books:
        text = tidy(b, names, source_url)
        b.unlink()
        (dest/f"{names[b.stem]}.ipynb").write_text(text, encoding="utf-8")
    yml = dest/"_quarto.yml"
    renamed = re.sub(r"(\w+)\.ipynb", lambda m: f"{names.get(m[1], m[1])}.ipynb", yml.read_text(encoding="utf-8"))
    yml.write_text(renamed, encoding="utf-8")
    return names


def run(*command):
    "Run a site builder, which says what it dislikes but ends well; its warnings are failures here"
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8")
    print(p.stdout, end="")
    said = re.sub(r"\x1b\[[0-9;]*m", "", p.stdout)
    warnings = [l for l in said.splitlines() if re.search(r"\b(WARN(ING)?|ERROR)\b|^warning:", l)
                and not re.fullmatch(r"warning: format\.html\.[\w-]+ is ignored", l)]  # an option that only Quarto has
    if p.returncode or warnings: sys.exit(f"{command[0]} ended with status {p.returncode} and {len(warnings)} warnings")


def mathml(found):
    "A formula as MathML"
    from latex2mathml.converter import convert
    kind, tex = found[1], html.unescape(found[2])
    said = convert(tex.replace("{aligned}", "{align*}"), display=dict(inline="inline", display="block")[kind])
    strange = re.search(r">\s*(&|\\\w+)\s*<", said)
    if strange: sys.exit(f"{strange[1]} is not understood in the formula {tex}")
    return f'<span class="math {kind}">{said}</span>'


def no_network(out):
    "What the themes and the maths would load from elsewhere comes from the page and the reader's machine instead"
    for css in out.rglob("*.css"):
        text = css.read_text(encoding="utf-8")
        text = re.sub(r"""@import\s*(url\([^)]*//[^)]*\)|["'][^"']*//[^"']*["'])[^;]*;""", "", text)
        css.write_text(text, encoding="utf-8")
    for page in out.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        text = re.sub(r'<span class="math (inline|display)">\\[(\[](.*?)\\[)\]]</span>', mathml, text, flags=re.S)
        page.write_text(re.sub(r"<(link|script)[^>]*/npm/katex[^>]*>(</script>)?", "", text), encoding="utf-8")


class Page(HTMLParser):
    "The ids of a page, what it links to, what it loads, and what its sidebar lists"
    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loads, self.sidebar, self.nav = set(), [], [], set(), 0
        self.code, self.raw = 0, []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.ids |= {a.get("id"), a.get("name")} - {None}
        if tag in CODE: self.code += 1
        if tag == "nav" and (self.nav or a.get("id") == "quarto-sidebar"): self.nav += 1
        if tag == "a" and a.get("href"):
            self.links.append(a["href"])
            if self.nav: self.sidebar.add(a["href"].split("#")[0].removeprefix("./"))
        if tag == "link" and a.get("href"): self.loads.append(a["href"])
        if tag in ("img", "script", "source", "video", "audio", "iframe") and a.get("src"): self.loads.append(a["src"])

    def handle_endtag(self, tag):
        if tag == "nav" and self.nav: self.nav -= 1
        if tag in CODE: self.code -= 1

    def handle_data(self, text):
        if not self.code and re.search(r"\]\(|^:::", text, re.M): self.raw.append(text.strip()[:60])


def unlink(out):
    "nbdev links every name of the library in backticks; where no page documents the name, leave the name alone"
    ids = {p.name: Page(p).ids for p in out.glob("*.html")}
    named = re.compile(r'<a href="(?:\./)?(\w+\.html)#([\w.]+)">(<code[^>]*>([\w.]+)</code>)</a>')
    lost = lambda m: m[1] in ids and m[2] == m[4].lower() and m[2] not in ids[m[1]]
    for page in out.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        page.write_text(named.sub(lambda m: m[3] if lost(m) else m[0], text), encoding="utf-8")


def check(site, names):
    "One line for each broken link, missing page and thing that a page loads from elsewhere"
    pages = {p: Page(p) for p in sorted(site.rglob("*.html"))}
    wrong = [f"nbs/{n}.ipynb has no page" for n, o in names.items() if site/f"{o}.html" not in pages]
    listed = set().union(*(p.sidebar for p in pages.values()))
    wrong += [f"nbs/{n}.ipynb is not in the sidebar of _quarto.yml"
              for n, o in names.items() if f"{o}.html" not in listed]
    for css in site.rglob("*.css"):
        wrong += [f"{css.name}: loads {u} from the network" for u in REMOTE.findall(css.read_text(encoding="utf-8"))]
    for path, page in pages.items():
        here = path.relative_to(site)
        wrong += [f"{here}: loads {u[:80]} from the network" for u in page.loads if re.match(r"(https?:)?//", u)]
        wrong += [f"{here}: Markdown left as text: {t}" for t in page.raw]
        for url in {*page.links, *page.loads}:
            u = urlsplit(url)
            if u.scheme or u.netloc: continue
            target = (path.parent/unquote(u.path)).resolve() if u.path else path
            if target.is_dir(): target = target/"index.html"
            if not target.is_relative_to(site) or not target.exists(): wrong.append(f"{here}: {url} leads to no page or file")
            elif u.fragment and target in pages and unquote(u.fragment) not in pages[target].ids:
                wrong.append(f"{here}: {url} leads to no such place in its page")
    print(f"{len(pages)} pages, {sum(len(p.links)+len(p.loads) for p in pages.values())} links: {len(wrong)} wrong")
    return sorted(wrong)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=Path, default=ROOT/"_docs", help="folder of the site, replaced if there (default: _docs)")
    p.add_argument("--quarto", action="store_true", help="build with Quarto instead of smalldocs")
    a = p.parse_args()
    out = a.out.resolve()
    with tempfile.TemporaryDirectory() as tmp:
        staged = Path(tmp)/"site"
        names = stage(staged)
        if a.quarto: run("quarto", "render", str(staged))
        else: run("smalldocs", "render", str(staged))
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(staged/"_docs", out)
    no_network(out)
    unlink(out)
    wrong = check(out, names)
    if wrong: sys.exit("\n".join(wrong))


if __name__ == "__main__": main()
