#!/usr/bin/env python3
"""Build the docs site from nbs/ and _quarto.yml, and check every page and link of it.

nbdev processes the notebooks; `stage` makes of them a plain folder that two site builders read alike:
Quarto (with --quarto) and smalldocs, which needs nothing but Python. No page asks for anything from the network."""
import argparse, html, json, os, re, shutil, subprocess, sys, tempfile
from html.parser import HTMLParser
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dress import ROOT, dress, facts, gallery, sized
from plots import mark_plots
from search import write_search
from trim import too_heavy, trim

SOURCE = re.compile(r"\[source\]\((/blob/[^)]*)\)\{[^}]*\}\n*")  # nbdev's link to the line of code
LINK = re.compile(r"(?<=\]\()(?!\w+:)[\w./-]+\.ipynb")          # a link from page to page
HREF = re.compile(r"(?<=href=\")(?!\w+:)[\w./-]+\.ipynb")          # the same in HTML that a cell has made
WIDGET = "application/vnd.jupyter.widget-view+json"              # alive only with a kernel
REMOTE = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)")  # what a style sheet fetches
CODE = "pre", "code", "script", "style"
VOID = "area base br col embed hr img input link meta source track wbr".split()  # tags that nothing closes
NAMING = "quarto-sidebar", "page-navigation"  # where a link to a page bears the page's title
RAW = re.compile(r"\]\(|^:::|\|\s*:?-{3,}|^\s*\|.*\|\s*$", re.M)       # Markdown that nobody has read: a link, a div, a table
UNUSED = re.compile(r"<(link|script)[^>]*/npm/(katex|requirejs|jquery)\b[^>]*>(</script>)?|<script[^>]*>define\('jquery'.*?</script>")
PLAIN = re.compile(r"^def (\w+)\(\n    \*args, \*\*kwargs\n\):$", re.M)  # all that nbdev says of a class without a function that makes it
FOLD = '#| code-fold: true\n#| code-summary: "Source"\n'


IMAGE = re.compile(r"!\[([^]]+)\]\(([^)\s]+)\)(?!\{)")  # Quarto makes a caption of these words, and no alternative text


def plain(s): return " ".join(s.replace("’", "'").split())
def spoken(image): return '{}{{fig-alt="{}"}}'.format(image[0], plain(image[1]).replace('"', "'"))
def text_of(s): return "".join(s) if isinstance(s, list) else s


def intro(cells):
    "What a notebook's first cell says after its title and subtitle: nbdev takes both for the front matter and drops the rest"
    first = next((text_of(c["source"]) for c in cells if c["cell_type"] == "markdown"), "")
    return re.sub(r"\A\s*#\s.*\n*(>.*\n*)?", "", first) if first.lstrip().startswith("# ") else ""


def title_of(notebook):
    "The title that a notebook's first cell gives it"
    first = json.loads(notebook.read_text(encoding="utf-8"))["cells"][0]
    return text_of(first["source"]).splitlines()[0].removeprefix("# ").strip()


def page_of(book):
    "A notebook's path as that of its page, which bears no number: 03_sgd.ipynb is read at sgd.html"
    from nbdev.config import nbpath2html
    return nbpath2html(book).as_posix()


def linked(text):
    "The same text, its links to notebooks under the names that these have on the site"
    return LINK.sub(lambda m: page_of(m[0]).replace(".html", ".ipynb"), text)


def defined(source):
    "Names that a cell defines, as `show_doc` calls them: a function, a class, or a class's patched method"
    found = re.findall(r"^(?:def|class) (\w+)(?:\(self: ?(\w+))?", source, re.M)
    return {f"{owner}.{name}" if owner else name for name, owner in found}


def headline(found, code):
    "How a class begins, which says what its fields are or what kind of error it is"
    said = re.search(rf"^class {found[1]}\b.*?:(?=\n| \")", code, re.M | re.S)
    return said[0].removesuffix(":") if said else found[0]


def readable(signature, code):
    "What nbdev says of a function or class, in words that a reader knows"
    shown = signature.replace("__main__.", "").replace(":NoneType=None", "=None")
    shown = re.sub(r"(functools\.)?partial\(<class '[\w.]*?(\w+)'>", r"partial(\2", shown)
    return PLAIN.sub(lambda found: headline(found, code), re.sub(":(functools.partial|function)=", "=", shown))


def fold(cells):
    "Fold the source that stands under its own signature; source that has none stays open"
    signed = set()
    for c in cells:
        if c["cell_type"] != "code": continue
        signed |= {*re.findall(r"^show_doc\(([\w.]+)", c["source"], re.M)}
        if "#| code-fold: show\n" not in c["source"]: continue
        own = re.sub(r"^#\| code-(fold|summary):.*\n", "", c["source"], flags=re.M)
        c["source"] = FOLD+own if signed & defined(own) else own


def tidy(notebook, original, source_url):
    "Give one processed notebook what both builders need: its intro, working links, folds, no dead widgets, lines as lines"
    nb = json.loads(notebook.read_text(encoding="utf-8"))
    def source(found): return found[0].replace(found[1], source_url+found[1])
    cells = json.loads(original.read_text(encoding="utf-8"))["cells"]
    said, code = intro(cells), "\n".join(text_of(c["source"]) for c in cells if c["cell_type"] == "code")
    if said: nb["cells"].insert(1, dict(cell_type="markdown", id="intro", metadata={}, source=said))
    for c in nb["cells"]:
        s = c["source"] = text_of(c["source"])
        if c["cell_type"] == "raw": c["source"] = re.sub(r"^output-file:.*\n", "", s, flags=re.M)
        if c["cell_type"] == "markdown": c["source"] = IMAGE.sub(spoken, linked(s))
        outputs = [o for o in c.get("outputs", []) if WIDGET not in o.get("data", {})
                   and o.get("name") != "stderr"]  # a notebook has none; nbdev imports what it documents, and a library may warn then
        if "outputs" in c: c["outputs"] = outputs
        for o in outputs:
            data = o.get("data", {})
            if "text/html" in data: data["text/html"] = HREF.sub(lambda m: page_of(m[0]), text_of(data["text/html"]))
            if "text/markdown" in data:
                shown = SOURCE.sub(source, text_of(data["text/markdown"]))
                data["text/markdown"] = linked(readable(shown, code))
    nb["metadata"].pop("widgets", None)
    prose = "\n".join(c["source"] for c in nb["cells"] if c["cell_type"] == "markdown")
    divs = re.findall(r"^:{3,} *(\S?)", prose, re.M)  # one that closes a div has nothing behind it
    if divs.count("")*2 != len(divs): sys.exit(f"{notebook.name}: not every div (:::) is opened and closed")
    fold(nb["cells"])
    for c in nb["cells"]: c["source"] = c["source"].splitlines(keepends=True)  # Quarto joins lines of which it made one string
    return nb


def stage(dest):
    "Process nbs/ with nbdev, and put the result in `dest`, each page under the name that nbdev's links give it"
    from nbdev.serve import proc_nbs
    os.chdir(ROOT)
    shutil.move(proc_nbs(force=True, n_workers=2), dest)
    known, books = facts(), {}
    for b in sorted(dest.rglob("*.ipynb")):
        name = b.relative_to(dest).as_posix()
        books[page_of(name)] = name, tidy(b, ROOT/"nbs"/name, known["repository"])
        b.unlink()
    gallery(books["index.html"][1], books, dest/"images"/"small")
    for page, (name, nb) in books.items():
        (dest/page).with_suffix(".ipynb").write_text(json.dumps(nb), encoding="utf-8")
    yml = dest/"_quarto.yml"
    text = re.sub(r"\{(version|repository|site)\}", lambda m: known[m[1]], yml.read_text(encoding="utf-8"))
    lost = dest/"404.md"
    lost.write_text(linked(lost.read_text(encoding="utf-8")), encoding="utf-8")
    yml.write_text(re.sub(r"[\w/-]+\.ipynb", lambda m: page_of(m[0]).replace(".html", ".ipynb"), text), encoding="utf-8")
    return books


def run(*command):
    "Run a site builder, which says what it dislikes but ends well; its warnings are failures here"
    p = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8")
    print(p.stdout, end="")
    said = re.sub(r"\x1b\[[0-9;]*m", "", p.stdout)
    warnings = [l for l in said.splitlines() if re.search(r"\b(WARN(ING)?|ERROR)\b|^warning:", l)
                and not re.fullmatch(r"warning: format\.html\.[\w-]+ is ignored", l)]  # an option that only Quarto has
    if p.returncode or warnings: sys.exit(f"{command[0]} ended with status {p.returncode} and {len(warnings)} warnings")


def drawn(found):
    "A formula as MathML"
    from lessonlib.slides import mathml
    try: said = mathml(html.unescape(found[2]), found[1] == "display")
    except ValueError as e: sys.exit(str(e))
    return f'<span class="math {found[1]}">{said}</span>'


def no_network(out):
    "What the themes and the maths would load from elsewhere comes from the page and the reader's machine instead"
    for css in out.rglob("*.css"):
        text = css.read_text(encoding="utf-8")
        text = re.sub(r"""@import\s*(url\([^)]*//[^)]*\)|["'][^"']*//[^"']*["'])[^;]*;""", "", text)
        css.write_text(text, encoding="utf-8")
    for page in out.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        text = re.sub(r'<span class="math (inline|display)">\\[(\[](.*?)\\[)\]]</span>', drawn, text, flags=re.S)
        page.write_text(UNUSED.sub("", text), encoding="utf-8")


class Page(HTMLParser):
    "A page's title and ids, its code, what it links to and in which words, what it loads, what was left as Markdown"
    def __init__(self, path):
        super().__init__()
        self.title, self.ids, self.links, self.loads, self.cells, self.raw = "", set(), [], [], [], []
        self.signatures, self.mute = [], []
        self.naming = (*NAMING, "table") if path.name == "index.html" else NAMING
        self.open = []  # the names of each tag around the place that is read: the tag's own, its id, its classes
        self.feed(path.read_text(encoding="utf-8"))
        self.title = plain(self.title)

    def inside(self, name): return any(name in names for names in self.open)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.ids |= {a.get("id"), a.get("name")} - {None}
        if tag not in VOID: self.open.append([tag, a.get("id"), *(a.get("class") or "").split()])
        if tag == "code" and self.inside("cell-code"): self.cells.append("")
        if tag == "a": self.link = dict(url=a.get("href"), names=any(map(self.inside, self.naming)), text="")
        if tag == "a" and a.get("href"): self.links.append(self.link)
        if tag == "img" and not (a.get("alt") or "").strip(): self.mute.append(a.get("src", "")[:60])
        if tag == "link" and a.get("href"): self.loads.append(a["href"])
        if tag in ("img", "script", "source", "video", "audio", "iframe") and a.get("src"): self.loads.append(a["src"])

    def handle_endtag(self, tag):
        while any(tag == names[0] for names in self.open) and self.open.pop()[0] != tag: pass

    def handle_data(self, text):
        if self.inside("h1") and self.inside("title"): self.title += text
        if self.inside("a"): self.link["text"] += text
        if self.inside("code") and self.inside("cell-code"): self.cells[-1] += text
        if self.inside("code") and not self.inside("cell-code"): self.signatures.append(text)
        if not any(map(self.inside, CODE)) and RAW.search(text): self.raw.append(text.strip()[:60])


def unlink(out):
    "nbdev links every name of the library in backticks; where no page documents the name, leave the name alone"
    ids = {p: Page(p).ids for p in out.rglob("*.html")}
    named = re.compile(r'<a href="([\w./-]+\.html)#([\w.]+)">(<code[^>]*>([\w.]+)</code>)</a>')
    for page in ids:
        def lost(m): return m[2] == m[4].lower() and m[2] not in ids.get((page.parent/m[1]).resolve(), {m[2]})
        text = page.read_text(encoding="utf-8")
        page.write_text(named.sub(lambda m: m[3] if lost(m) else m[0], text), encoding="utf-8")


def word_links(out, books):
    "In a lesson, the first mention of each word that another one explains leads to its sentence on the page of words"
    from lessonlib.words import link_words, words
    for page, (name, _) in books.items():
        if not re.match(r"0\d\w*_", name): continue
        seen = {word.id for word in words() if f"{word.lesson}.ipynb" == name}
        text, box, asked = (out/page).read_text(encoding="utf-8").partition('<div class="questions"')
        text = re.sub(r"<p>.*?</p>", lambda m: link_words(m[0], "glossary.html", seen), text, flags=re.S)
        (out/page).write_text(text+box+asked, encoding="utf-8")


def shown(nb):
    "The code that the page of a processed notebook has to show, cell by cell"
    for c in nb["cells"]:
        lines = [line.rstrip() for line in "".join(c["source"]).splitlines()]
        options = list(takewhile(lambda line: line.startswith("#|"), lines))
        hidden = any(re.search(r"\b(echo|include): *false", o) for o in options)
        code = "\n".join(lines[len(options):]).strip()
        if c["cell_type"] == "code" and code and not hidden: yield code


def same(page, name, nb):
    "One line for each thing of a notebook that its page does not say as the notebook does"
    for c in nb["cells"]:
        if not isinstance(c["source"], list) or any("\n" in line[:-1] for line in c["source"]):
            yield f"nbs/{name}: cell {c.get('id')} is no list of lines"
    title = title_of(ROOT/"nbs"/name)
    if page.title != title: yield f"nbs/{name}: its page is called {page.title!r}, not {title!r}"
    seen = ["\n".join(line.rstrip() for line in c.splitlines()).strip() for c in page.cells]
    if "__main__." in "".join(page.signatures): yield f"nbs/{name}: a signature names __main__"
    if "(\n    *args, **kwargs\n):" in "".join(page.signatures): yield f"nbs/{name}: a signature says nothing but *args, **kwargs"
    yield from (f"nbs/{name}: its page does not show this as it is: {c[:60]!r}" for c in shown(nb) if c not in seen)


def unlinked(notebook):
    "One line for each lesson that a notebook names by its number without a link to it, or with a link to another"
    for c in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if c["cell_type"] != "markdown": continue
        text = re.sub(r"```.*?```|`[^`]*`", "", text_of(c["source"]), flags=re.S)
        for said, target in re.findall(r"\[([^]]*)\]\(([^)]*)\)", text):
            number = re.fullmatch(r"(?:[Ll]essons? )?(\d)([a-e]?)", said)
            if number and not Path(target).name.startswith(f"0{number[1]}{number[2]}_"): yield f"{said} leads to {target}"
        text = re.sub(r"\[[^]]*\]\([^)]*\)", "", text)
        yield from (f"{m[0]} is no link" for m in re.finditer(r"\b[Ll]essons?\s+\d[a-e]?\b", text))


def lost_figures(notebook):
    "Say when a notebook that plots was saved without any picture"
    cells = [c for c in json.loads(notebook.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]
    plots = any("plt." in text_of(c["source"]) and "#| test" not in text_of(c["source"]) for c in cells)
    drawn = any(kind.startswith("image/") for c in cells for o in c["outputs"] for kind in o.get("data", {}))
    return ["it plots, and was saved without a picture"] if plots and not drawn else []


def unsaid(notebook):
    "One line for each cell that shows a picture without the words for whoever cannot see it"
    for c in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        drawn = any(kind.startswith("image/") for o in c.get("outputs", []) for kind in o.get("data", {}))
        source = text_of(c["source"])
        if drawn and not re.search(r"^#\| *(hide$|include: *false|output: *false|fig-alt: *.*\w)", source, re.M):
            yield f"cell {c['id']} shows a picture and has no line '#| fig-alt: what it shows'"
        if re.search(r"^#\| *fig-alt:.*%", source, re.M): yield f"cell {c['id']}: Quarto takes a % in fig-alt for an address: write percent"


def check(site, books):
    "One line for each broken link, missing page, name that differs, and thing that a page loads from elsewhere"
    pages = {p: Page(p) for p in sorted(site.rglob("*.html"))}
    wrong, listed = [f"nbs/{name} has no page" for p, (name, _) in books.items() if site/p not in pages], set()
    for p, (name, nb) in books.items():
        if site/p in pages: wrong += same(pages[site/p], name, nb)
        wrong += [f"nbs/{name}: {said}" for said in [*unlinked(ROOT/"nbs"/name), *lost_figures(ROOT/"nbs"/name),
                                              *unsaid(ROOT/"nbs"/name)]]
    address,root = facts()["repository"],urlsplit(facts()["site"]).path+"/"
    if address not in (ROOT/"README.md").read_text(encoding="utf-8"): wrong.append(f"README.md does not name {address}, as settings.ini does")
    for css in site.rglob("*.css"):
        wrong += [f"{css.name}: loads {u} from the network" for u in REMOTE.findall(css.read_text(encoding="utf-8"))]
    for path, page in pages.items():
        here = path.relative_to(site)
        wrong += [f"{here}: loads {u[:80]} from the network" for u in page.loads if re.match(r"(https?:)?//", u)]
        wrong += [f"{here}: a picture without alternative text: {src}" for src in page.mute]
        wrong += [f"{here}: Markdown left as text: {t}" for t in page.raw]
        if "cell-output-stderr" in path.read_text(encoding="utf-8"): wrong.append(f"{here}: shows a warning or an error of a library")
        for link in [*page.links, *(dict(url=u, names=False) for u in page.loads)]:
            u = urlsplit(link["url"])
            if u.scheme or u.netloc: continue
            below = unquote(u.path).removeprefix(root)  # the page that stands in for a lost one names all from the root
            target = (site/below if u.path.startswith(root) else path.parent/below).resolve() if u.path else path
            if target.is_dir(): target = target/"index.html"
            if not target.is_relative_to(site) or not target.exists(): wrong.append(f"{here}: {link['url']} leads to no page or file")
            elif u.fragment and target in pages and unquote(u.fragment) not in pages[target].ids:
                wrong.append(f"{here}: {link['url']} leads to no such place in its page")
            elif u.path and not u.fragment and link["names"] and target in pages:
                listed.add(target)
                text, title = plain(link["text"]), pages[target].title
                if text not in (title, "Home"): wrong.append(f"{here}: {text!r} leads to the page {title!r}")
    wrong += [f"nbs/{name} is not in the sidebar of _quarto.yml" for p, (name, _) in books.items() if site/p not in listed]
    print(f"{len(pages)} pages, {sum(len(p.links)+len(p.loads) for p in pages.values())} links: {len(wrong)} wrong")
    return sorted(set(wrong))


def runtime():
    "The folder of onnxruntime-web as npm has it; None where npm cannot bring it: then the page names its address and its hash"
    from lessonlib.archives import NoPackage
    from lessonlib.spaces import npm_runtime
    try: return npm_runtime()
    except NoPackage as e: print(f"teach/ names the address of onnxruntime-web: {e}")


def beside(out):
    "What a page fetches when its reader asks for it: plotly.js, from the Python package; the page that learns, in teach/; and talks, in slides/"
    from importlib.util import find_spec
    from lessonlib.teach import teach_page
    shutil.copy(Path(find_spec("plotly").origin).parent/"package_data"/"plotly.min.js", out)
    teach_page(out/"teach", runtime=runtime())
    from lessonlib.slides import write_slides
    for lesson in ("01_vision", "03_sgd_from_scratch", "04_mnist"): write_slides(lesson, out/"slides"/f"{lesson}.html")


def finish(out, books):
    "Make a builder's site what we publish, and check it"
    no_network(out)
    word_links(out, books)
    for path in out.rglob("*.html"):
        page = path.relative_to(out).as_posix()
        name,nb = books.get(page, (None, dict(cells=[])))
        text = dress(sized(path.read_text(encoding="utf-8"), nb), page, name)
        path.write_text(mark_plots(text, path.parent), encoding="utf-8")
    write_search(out, books)
    trim(out)
    beside(out)
    unlink(out)
    return [*check(out, books), *too_heavy(out)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=Path, default=ROOT/"_docs", help="folder of the site, replaced if there (default: _docs)")
    p.add_argument("--quarto", action="store_true", help="build with Quarto instead of smalldocs")
    a = p.parse_args()
    out = a.out.resolve()
    with tempfile.TemporaryDirectory() as tmp:
        staged = Path(tmp)/"site"
        books = stage(staged)
        if a.quarto: run("quarto", "render", str(staged))
        else: run("smalldocs", "render", str(staged))
        shutil.rmtree(out, ignore_errors=True)
        shutil.move(staged/"_docs", out)
    wrong = finish(out, books)
    if wrong: sys.exit("\n".join(wrong))


if __name__ == "__main__": main()
