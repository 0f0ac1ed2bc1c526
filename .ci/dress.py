"""What both site builders leave undone on a page: names for its parts, contents on a phone, links to the true notebooks."""
import base64, html, io, re
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
NAMES = {'class="navbar': "Site", 'class="quarto-secondary-nav': "This page and the menu", 'id="quarto-sidebar"': "All pages",
         'id="TOC"': "On this page", 'class="page-navigation': "Previous and next page", 'class="quarto-page-breadcrumbs"': "Where you are",
         'class="quarto-page-breadcrumbs quarto-title-breadcrumbs': "Where this page stands"}
CONTENTS = re.compile(r'<nav id="TOC".*?(<ul.*?</ul>)\s*(?:<div class="toc-actions|</nav>)', re.S)
HEAD = re.compile(r'<header id="title-block-header".*?</header>', re.S)

# Boxes that scroll can be reached with Tab, so that the arrow keys move them; the others stay out of the way.
# What is sideways out of sight fades, so that one sees that there is more.
SCROLL = """<script>
function boxes() {
  for (const e of document.querySelectorAll("main pre, main table, main div, main .math.display")) {
    const wide = e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(e).overflowX);
    const fade = () => e.classList.toggle("more", wide && e.scrollLeft + e.clientWidth < e.scrollWidth - 1);
    fade(); e.onscroll = fade;
    if (wide) e.tabIndex = 0; else if (e.tabIndex === 0) e.removeAttribute("tabindex");
  }
}
addEventListener("load", boxes); addEventListener("resize", boxes); addEventListener("toggle", boxes, true);
</script>"""


TABLE = re.compile(r"<table\b(?:(?!<table\b).)*?</table>", re.S)
ROW = re.compile(r"<tr\b.*?</tr>", re.S)
CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</t[hd]>", re.S)
NUMBER = re.compile(r"[-−+<>≤≥~]?\s*[\d.,]+.{0,8}|NaN|[-–]?")  # a unit may follow; what is missing counts, too
LESSON = re.compile(r"^\| (?=\[[^]]+\]\(([\w/]+)\.ipynb\))", re.M)  # a row of the home page's table


def facts():
    "The version and the addresses of code and site, which stand in settings.ini alone"
    from lessonlib.front import project_facts
    settings = project_facts(ROOT/"settings.ini")
    repository = settings["repository"]
    owner, name = repository.split("/")[-2:]
    return dict(version=settings["version"], repository=repository, site=f"https://{owner.lower()}.github.io/{name}")


def figures(nb):
    "The figures of a notebook, each with its alternative text"
    for c in nb["cells"]:
        alt = re.search(r'^#\| *fig-alt: *"(.*)"$', "".join(c["source"]), re.M)
        for o in c.get("outputs", []) if alt else []:
            kinds = [kind for kind in ("image/png", "image/jpeg") if kind in o.get("data", {})]
            if kinds: yield Image.open(io.BytesIO(base64.b64decode("".join(o["data"][kinds[0]])))).convert("RGB"), alt[1]


def small(nb, file):
    "Save a notebook's first figure that is neither a stripe nor a stamp as a small picture; its words, or None if there is none"
    found = [*figures(nb)]
    fit = [f for f in found if .9 < f[0].width/f[0].height < 2.5 and f[0].width > 200] or found
    if not fit: return None
    image,alt = fit[0]
    image.thumbnail((240, 150), Image.LANCZOS)
    image.quantize(64).save(file, optimize=True)
    return alt


def gallery(home, books, folder):
    "The table of lessons on the home page gets a small picture for each that draws one"
    folder.mkdir(parents=True, exist_ok=True)
    alts = {Path(page).stem: small(nb, folder/f"{Path(page).stem}.png") for page,(_,nb) in books.items() if "/" not in page}
    def row(found):
        alt = alts.get(found[1])
        return f'| ![{alt}](images/small/{found[1]}.png){{fig-alt="{alt}"}} | ' if alt else "| | "
    for c in home["cells"]:
        text = "".join(c["source"])
        if not text.startswith("| lesson |"): continue
        head,_,*rows = text.split("\n")
        lines = ["| "+head, "|:------|:-------------|:------------------|", *LESSON.sub(row, "\n".join(rows)).split("\n")]
        c["source"] = "\n".join(lines).splitlines(keepends=True)


def sized(text, nb):
    "The page's figures as wide as their notebook says: they have twice the pixels, and smalldocs does not know"
    for o in [o for c in nb["cells"] for o in c.get("outputs", [])]:
        for kind,size in o.get("metadata", {}).items():
            if not kind.startswith("image/") or "width" not in size: continue
            picture = f'src="data:{kind};base64,{"".join(o["data"][kind]).strip()}"'
            text = text.replace(picture, f'{picture} width="{size["width"]}"')
    return text


def with_words(found):
    "A table whose cells bear the class `words` where their column holds words: numbers stand at the right, words at the left"
    rows = [CELL.findall(row) for row in ROW.findall(found[0])]
    if re.search("(col|row)span", found[0]) or len({*map(len, rows)}) != 1: return found[0]
    def said(cell): return " ".join(html.unescape(re.sub("<[^>]*>", "", cell[2])).split())
    words = [not all(cell[0] == "th" or NUMBER.fullmatch(said(cell)) for cell in column) for column in zip(*rows)]
    def row(text):
        columns = iter(words)
        def cell(m): return m[0].replace(f"<{m[1]}", f'<{m[1]} class="words"', 1) if next(columns) and "class=" not in m[2] else m[0]
        return CELL.sub(cell, text[0])
    return ROW.sub(row, found[0])


def named(found):
    "A landmark with a name of its own, by which a screen reader tells it from the others"
    tag = re.sub(r' aria-label="[^"]*"', "", found[0])
    name = next((name for mark, name in NAMES.items() if mark in tag), None)
    return f'{tag[:-1]} aria-label="{name}">' if name else found[0]


def contents(text):
    "The table of contents once more, folded, under the title: a phone has no margin to show it in"
    toc = CONTENTS.search(text)
    if not toc: return ""
    items = re.sub(r' (id|class|data-[\w-]+)="[^"]*"', "", toc[1])
    return f'<details class="on-a-phone"><summary>On this page</summary><nav aria-label="Contents">{items}</nav></details>'


def dress(text, page, name):
    "The page of a notebook (None where none made it), with all of that"
    text = re.sub(r"<nav\b[^>]*>", named, text)
    text = re.sub(r'(<a class="sidebar-item[^>]*) role="navigation"', r'\1 role="button"', text)  # it opens a list: no landmark
    first = re.search(r"<h[23]\b(?=[^>]* class=\"anchored)", text)  # a name documented before the first section stands on its level
    if first and first[0] == "<h3": text = text[:first.end()]+' role="heading" aria-level="2"'+text[first.end():]
    text = re.sub(r'(<button class="navbar-toggler"[^>]*) role="menu"', r"\1", text)
    text = text.replace('<div class="toc-actions"', '<div class="toc-actions" role="navigation" aria-label="Mend this page"')
    text = re.sub(r"<th([^>]*)>\s*</th>", r"<td\1></td>", text)  # the empty corner of a table is no heading
    text = TABLE.sub(with_words, text)
    text = HEAD.sub(lambda m: m[0]+contents(text), text, count=1)
    if name: text = text.replace(f"/edit/main/nbs/{page.removesuffix('.html')}.ipynb", f"/edit/main/nbs/{name}")
    return text.replace("</body>", SCROLL+"</body>", 1)
