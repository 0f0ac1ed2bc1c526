"""What a reader finds: one index for both site builders, and an order in which definitions come before mentions.

Both builders ask fuse.js, which knows how well a text fits but not what the reader wants: it would put a test that uses a
function before the lesson that explains it. So we write search.json ourselves, and teach fuse.js our order."""
import html, json
from html.parser import HTMLParser
from pathlib import Path

SILENT = "script", "style", "nav", "button", "template"  # nobody looks for words of these
LEFT_OUT = "code-fold", "on-a-phone", "cell-output-stdout", "cell-output-display", "questions"
DROPPED = "What this module promises"                    # tests: they use everything, and explain nothing
VOID = "area base br col embed hr img input link meta source track wbr".split()
LONGEST = 3000                                           # characters of a section
ORDER = Path(__file__).with_name("order.js")


class Sections(HTMLParser):
    "The title of a page, and its sections: of each the id, the heading, whether it defines a name or a word, and the text"
    def __init__(self, page):
        super().__init__()
        self.open, self.title = [], ""
        self.found = [dict(id="", level="", section="", name=False, text="")]
        self.feed(page)

    def inside(self, *names): return any(name in around for around in self.open for name in names)

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        if tag in VOID: return
        self.open.append([tag, a.get("id"), *(a.get("class") or "").split()])
        word = tag == "dt" and (a.get("id") or "").startswith("word-")
        if word or tag in ("h2", "h3") and self.inside("main") and not self.inside(*SILENT, "on-a-phone"):
            anchor, name = a.get("data-anchor-id") or a.get("id") or "", word or self.inside("cell-output-markdown")
            self.found.append(dict(id=anchor, level=tag, section="", name=name, text=""))

    def handle_endtag(self, tag):
        while any(tag == names[0] for names in self.open) and self.open.pop()[0] != tag: pass

    def handle_data(self, text):
        if not self.inside("main") or self.inside(*SILENT): return
        if self.inside("h1") and self.inside("title"): self.title += text
        elif self.inside("h2", "h3") or self.inside("dt") and self.inside("words"): self.found[-1]["section"] += text
        elif self.inside("cell-output-markdown", "words") or not self.inside(*LEFT_OUT): self.found[-1]["text"] += text


def squeezed(text): return " ".join(text.split())


def entries(page, text):
    "What search.json says of one page: its beginning, each section, each documented name; no tests"
    read = Sections(text)
    shelf, tests = int("/" in page), False
    for part in read.found:
        heading, said = squeezed(part["section"]), squeezed(part["text"])[:LONGEST]
        if part["level"] == "h2": tests = heading == DROPPED
        if tests or not said: continue
        href = page+("#"+part["id"] if part["id"] else "")
        yield dict(objectID=href, href=href, title=squeezed(read.title), section=heading, shelf=shelf, name=part["name"], text=said)


def write_search(site, books):
    "Replace the builder's index by ours, lessons first, and append our order to its fuse.js"
    pages = [page for page in books if (site/page).exists()]
    found = [e for page in sorted(pages, key=lambda p: ("/" in p, books[p][0]))
             for e in entries(page, (site/page).read_text(encoding="utf-8"))]
    if (site/"site_libs"/"quarto-search").exists():  # which shows a text as HTML
        for e in found: e["text"] = html.escape(e["text"], quote=False)
    (site/"search.json").write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    for fuse in site.rglob("site_libs/**/fuse.min.js"):
        fuse.write_text(fuse.read_text(encoding="utf-8")+"\n"+ORDER.read_text(encoding="utf-8"), encoding="utf-8")
