"""A site without what no page of it uses: of Bootstrap, half a megabyte a theme, of its icons, and of what Quarto writes for
footnotes, line numbers and its own developers."""
import gzip, re, shutil, sys
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

QUOTED = re.compile(r""""([^"\n]*)"|'([^'\n]*)'|`([^`]*)`""")
COMMENT = re.compile(r"/\*.*?\*/", re.S)
KEPT = "@charset", "@import", "@font-face", "@keyframes", "@-webkit-keyframes", "@property", "@layer"
PICTURES = ".png", ".jpg", ".jpeg", ".svg", ".webp", ".gif"
LIMITS = dict(page=600_000, pictures=2_500_000)  # bytes, as stored, of a page and all that it loads by itself, before pictures and with them
HOVERS = "doc-noteref", "quarto-xref", "data-cites"  # what tippy shows something beside
TIPPY = re.compile(r'<(?:script src|link href)="[^"]*tippy[^"]*"[^>]*>(?:</script>)?\n?')
SEARCH = re.compile(r'(<script src="[^"]*site_libs/quarto-search/)autocomplete.umd.js"></script>.*?quarto-search.js"></script>', re.S)
AT_ONCE = {'window.document.addEventListener("DOMContentLoaded", function': "queueMicrotask(function",  # for a script that comes late
           "currentUrl = new URL(window.location)": "currentUrl = window.askedAddress",
           # what is found in a fold, or in a phone's contents, cannot be scrolled to; words that stand apart are marked one by one
           "const isMarkVisible =": "const isMarkVisible = (mark.checkVisibility?.() ?? true) &&",
           "highlight(query, mainEl);": """highlight(query, mainEl);
    for (const word of mainEl.querySelector("mark") ? [] : query.match(/[\\w.]{3,}/g) || []) highlight(word, mainEl);"""}
LINE = re.compile(r'<a href="#cb[\d-]+" aria-hidden="true" tabindex="-1"></a>')  # a link from each line of code to itself
VARIABLE = re.compile(r"""(?<=[{;])\s*(--[\w-]+):(?:"[^"]*"|'[^']*'|[^;{}"'])*;?""")
REMARKS = re.compile(r"^[ \t]*//.*\n|^[ \t]+|^[ \t]*\n", re.M)  # whole lines of them; and indentation


@cache
def sent(file):
    "Bytes of a file as a host sends it: pictures and fonts are as small as they get, text is compressed"
    return file.stat().st_size if file.suffix in (*PICTURES, ".woff") else len(gzip.compress(file.read_bytes()))


def used(site):
    "All names that a page or a script of the site may give to a class or an id"
    names = set()
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for attribute in re.findall(r'\b(?:class|id)="([^"]*)"', text): names |= {*attribute.split()}
    scripts = [f.read_text(encoding="utf-8") for f in site.rglob("site_libs/**/*.js")]
    for page in site.rglob("*.html"): scripts += re.findall(r"<script\b[^>]*>(.*?)</script>", page.read_text(encoding="utf-8"), re.S)
    for script in scripts:
        for quoted in QUOTED.findall(script): names |= {*re.findall(r"[\w-]+", " ".join(quoted))}
    return names


def blocks(css):
    "Each rule of a style sheet: what stands before its brace, and what stands within"
    start = 0
    while (brace := css.find("{", start)) >= 0:
        statement = css.rfind(";", start, brace)+1 or start  # @charset and @import end without a brace
        if statement > start: yield css[start:statement].strip(), None
        end,depth = brace+1, 1
        while depth:
            found = re.compile(r"[{}]").search(css, end)
            if not found: return
            depth += 1 if found[0] == "{" else -1
            end = found.end()
        yield css[statement:brace].strip(), css[brace+1:end-1]
        start = end


def alive(selector, names):
    "May this selector meet anything? What stands in its brackets is not asked"
    bare = re.sub(r"\((?:[^()]|\([^()]*\))*\)|\[[^]]*\]", "", selector)
    return all(name in names for name in re.findall(r"[.#]((?:[\w-]|\\.)+)", bare))


def trimmed(css, names):
    "A style sheet without the rules that meet nothing"
    out = []
    for before,body in blocks(css):
        if body is None: out.append(before)
        elif before.startswith(KEPT): out.append(f"{before}{{{body}}}")
        elif before.startswith("@"):
            inner = trimmed(body, names)
            if inner: out.append(f"{before}{{{inner}}}")
        else:
            kept = [s for s in re.split(r",(?![^(]*\))", before) if alive(s, names)]
            if kept: out.append(f"{','.join(kept)}{{{body}}}")
    return "".join(out)


def declared(css, read):
    "A style sheet without the variables that are not among those read"
    return VARIABLE.sub(lambda m: m[0] if m[1] in read else "", css)


def without_unread(sheets, others):
    "The same style sheets without variables that neither they nor the other texts read; round by round, for one may read another"
    named = {*re.findall(r"--[\w-]+", others)}
    while True:
        read = named | {*re.findall(r"var\(\s*(--[\w-]+)", "".join(sheets.values()))}
        fewer = {file: declared(css, read) for file,css in sheets.items()}
        if fewer == sheets: return sheets
        sheets = fewer


def layered(dark, light):
    "The rules of a dark theme that its light one has not: Quarto lays the dark one on top"
    both = [{}, {}]
    for css,bodies in zip((dark, light), both):
        for before,body in blocks(css): bodies.setdefault(before, []).append(body)
    out, changed = [], set()
    for before,body in blocks(dark):
        inner = [b for b,_ in blocks(body)] if before.startswith("@media") else [before]
        selectors = {*",".join(inner).split(",")}
        if both[0][before] == both[1].get(before) and not selectors & changed: continue
        changed |= selectors  # a rule that is the same stays behind one that is not, if both meet the same
        out.append(before if body is None else f"{before}{{{body}}}")
    return "".join(out)


def lean(text, hovers):
    "A page without links from lines of code to themselves and remarks in its scripts, whose search comes when it is asked for"
    text = LINE.sub("", text if hovers else TIPPY.sub("", text))
    text = SEARCH.sub(r'\1later.js"></script>', text)
    return re.sub(r"(<script\b[^>]*>)(.*?)(?=</script>)", lambda m: m[1]+REMARKS.sub("", m[2]), text, flags=re.S)


def search_later(site):
    "Quarto's search, made ready to come when it is asked for"
    for file in site.rglob("quarto-search.js"):
        text = file.read_text(encoding="utf-8")
        for before,after in AT_ONCE.items():
            if text.count(before) != 1: sys.exit(f"{file.name} has changed: {before} stands there {text.count(before)} times")
            text = text.replace(before, after)
        file.write_text(text, encoding="utf-8")
        shutil.copy(Path(__file__).with_name("later.js"), file.parent)


def trim_pages(site):
    "Make pages and scripts lean; what shows a note beside its mark goes where no page has such a mark"
    pages = {f: f.read_text(encoding="utf-8") for f in site.rglob("*.html") if f.parent.name != "teach"}
    hovers = any(mark in re.sub(r"<script\b.*?</script>", "", text, flags=re.S) for text in pages.values() for mark in HOVERS)
    for file,text in pages.items(): file.write_text(lean(text, hovers), encoding="utf-8")
    for file in site.rglob("site_libs/**/*.js"):
        if "tippy" in file.name and not hovers: file.unlink()
        else: file.write_text(REMARKS.sub("", file.read_text(encoding="utf-8")), encoding="utf-8")
    for file in site.rglob("site_libs/**/tippy.css"): hovers or file.unlink()


def trim_icons(file, icons):
    "The icon font beside a style sheet: only the icons left in it, in the one form that every browser reads"
    from fontTools import subset
    css = file.read_text(encoding="utf-8")
    fonts = re.findall(r'url\("?([^")?]+\.woff)(?:\?[^")]*)?"?\)', css)
    if not fonts or not icons: return
    options = subset.Options(flavor="woff", notdef_outline=True)
    font = subset.load_font(file.parent/fonts[0], options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=icons)
    subsetter.subset(font)
    subset.save_font(font, file.parent/fonts[0], options)
    file.write_text(re.sub(r"src:[^;}]*", f'src: url("{fonts[0]}") format("woff")', css, count=1), encoding="utf-8")
    for other in (file.parent/fonts[0]).parent.glob("*.woff2"): other.unlink()


def trim(site):
    "Trim the pages, each style sheet that a builder brought along, and the icons"
    search_later(site)
    trim_pages(site)
    names = used(site)
    sheets = {f: trimmed(COMMENT.sub("", f.read_text(encoding="utf-8")), names) for f in site.rglob("site_libs/**/*.css")}
    others = [f for ext in ("html", "js", "css") for f in site.rglob(f"*.{ext}") if f not in sheets]
    sheets = without_unread(sheets, "".join(f.read_text(encoding="utf-8") for f in others))
    icons = [int(code, 16) for css in sheets.values() for code in re.findall(r"content: *[\"']\\(f[0-9a-f]{3,4})", css, re.I)]
    for file,css in sheets.items():
        light = [f for f in sheets if "bootstrap-dark-" in file.name and re.match(r"bootstrap-(?!dark-|icons)", f.name)]
        file.write_text(layered(css, sheets[light[0]]) if light else css, encoding="utf-8")
        if "icons" in file.name: trim_icons(file, icons)


def weights(site, page):
    "Bytes of a page as sent, with the style sheets of both themes, scripts and fonts; the bytes of its pictures; and all but these as stored"
    text = page.read_text(encoding="utf-8")
    inline = "".join(re.findall(r"data:image/[^\"')]+", text))
    urls = re.findall(r'<(?:link|script|img)\b[^>]*\b(?:href|src)="([^"#?:]+\.\w+)"', text)
    files = {(page.parent/urlsplit(u).path).resolve() for u in urls if not u.endswith(".html")}
    sheets = [f for f in files if f.suffix == ".css" and f.exists()]
    files |= {(f.parent/u).resolve() for f in sheets for u in re.findall(r'url\("?([\w./-]+\.woff2?)', f.read_text(encoding="utf-8"))}
    files = [f for f in files if f.is_file()]
    plain = [f for f in files if f.suffix not in PICTURES]
    bare = re.sub(r"data:image/[^\"')]+", "", text).encode()
    pictures = len(inline)+sum(f.stat().st_size for f in files if f.suffix in PICTURES)
    return len(gzip.compress(bare))+sum(map(sent, plain)), pictures, len(bare)+sum(f.stat().st_size for f in plain)


def too_heavy(site):
    "One line for each page that is over a limit; and the heaviest of all, printed"
    found = {p.relative_to(site).as_posix(): weights(site, p) for p in site.rglob("*.html") if p.parent.name != "teach"}
    heaviest = max(found, key=lambda page: found[page][2])
    print(f"the heaviest page is {heaviest}: {found[heaviest][0]//1000} kB as sent before pictures, {found[heaviest][2]//1000} kB as stored, "
          f"with both themes, scripts and fonts; with pictures {max(b+c for _,b,c in found.values())//1000} kB at most")
    for page,(_,pictures,stored) in found.items():
        if stored > LIMITS["page"]: yield f"{page}: {stored//1000} kB before pictures, of {LIMITS['page']//1000}"
        if stored+pictures > LIMITS["pictures"]: yield f"{page}: {(stored+pictures)//1000} kB with pictures, of {LIMITS['pictures']//1000}"
