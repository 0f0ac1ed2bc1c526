#!/usr/bin/env python3
"""Open every page of a built site in headless Chromium, wide and narrow, light and dark, and say what is wrong with it:
errors in the console, requests that fail or leave the site, pictures that do not load, content wider than a phone, words cut in a column,
text that its background swallows, whatever axe-core, which npm brings, finds against WCAG and its own good practice,
and a search that shows something else before the place where a name or a word is explained, or leads where its words are not in view."""
import argparse, base64, html, json, os, re, shutil, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from urllib.parse import quote, urlsplit

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.support.ui import WebDriverWait

from dress import facts
from lessonlib.archives import NoPackage, npm_files
from lessonlib.places import data_home

ROOT = urlsplit(facts()["site"]).path  # where the site will stand on its host
AXE = "axe-core@4.10.3"
AXE_FILES = {"axe.min.js": "sha384-17w4i/EfU4m8vRTTBQs69gAb/fjBpQi0/OOcQTspZXbRlDA0OcGoZX3ZUxQpgTYL"}
VIEWS = dict(desktop=(1280, 900, "light"), phone=(390, 844, "light"), dark=(1280, 900, "dark"))
FLAGS = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync --disable-dev-shm-usage --hide-scrollbars""".split()

# What sticks out of the window to the right, unless a box around it scrolls
WIDER = """
const edge = document.documentElement.clientWidth + 1, out = [];
const scrolls = e => e && (/auto|scroll/.test(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
for (const e of document.querySelectorAll("main *")) {
    const r = e.getBoundingClientRect();
    if (r.width && r.right > edge && !scrolls(e.parentElement))
        out.push(`<${e.localName} class="${e.getAttribute("class") || ""}"> ends at ${Math.round(r.right)}`);
}
const wide = document.documentElement.scrollWidth;
if (!out.length && wide > edge) out.push(`the page is ${wide} wide`);
return out.slice(0, 3);
"""
# Text that its background nearly swallows: the ratio of their luminances (WCAG), of which 4.5 is wanted
PALE = """
const rgb = c => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const light = c => c.slice(0, 3).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
const behind = e => { const c = rgb(getComputedStyle(e).backgroundColor);
    return c[3] !== 0 ? c : e.parentElement ? behind(e.parentElement) : [255, 255, 255]; };
const out = new Set();
for (const e of document.querySelectorAll("body :not(svg *):not(.sourceCode *)")) {
    const words = [...e.childNodes].filter(n => n.nodeType === 3).map(n => n.data.trim()).join(" ").trim();
    if (!words || !e.getClientRects().length || e.closest("style, script, .gradio-container")) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) out.add(`<${e.localName}> ${words.slice(0, 30)}: ${ratio.toFixed(2)}`);
}
return [...out].slice(0, 3);
"""
# Words of a table that are cut because their column is squeezed
CUT = """
const out = new Set(), range = document.createRange();
for (const cell of document.querySelectorAll("main :is(th, td)")) {
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) for (const word of texts.currentNode.data.matchAll(/[\\p{L}\\d]{3,}/gu)) {
        range.setStart(texts.currentNode, word.index);
        range.setEnd(texts.currentNode, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map(r => r.top)).size > 1) out.add(word[0]);
    }
}
return [...out].slice(0, 3);
"""
# Names of places that stand twice: a link finds the first alone
TWICE = """
const ids = [...document.querySelectorAll("body [id]")].map(e => e.id);
return [...new Set(ids.filter((id, i) => ids.indexOf(id) !== i))].slice(0, 3);
"""
# What axe-core finds, a line for each rule: the rule, how often, and the first place. Code becomes bare text before, where its
# coloured words are nothing but that, and `TWICE` has seen their names: half of all that axe-core would look at
FOUND = """
const [contrast, done] = arguments, colour = a => a.name === "class" || a.name === "id";
for (const code of document.querySelectorAll("pre.sourceCode > code"))
    if (!contrast && [...code.querySelectorAll("*")].every(e => e.localName === "span" && [...e.attributes].every(colour))) code.textContent = code.textContent;
axe.run({exclude: [".gradio-container"]}, {resultTypes: ["violations"], rules: {"color-contrast": {enabled: contrast}}}).then(r => done(r.violations.map(v =>
    `${v.id} (${v.nodes.length} times): ${v.nodes[0].target.join(" ")} ${v.nodes[0].html.slice(0, 120)}`)),
    e => done([`axe-core failed: ${e}`]));
"""
# Ends when the page has nothing to do and has been painted
IDLE = "const done = arguments[0]; requestIdleCallback(() => requestAnimationFrame(() => setTimeout(done)), {timeout: 3000})"
MISSING = "return [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src.slice(0, 80))"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args): pass
    def translate_path(self, path): return super().translate_path(re.sub(f"^{ROOT}/", "/", path))  # as 404.html names all


def chromium(profile):
    "A browser with an empty profile, whose console and requests are recorded"
    options = webdriver.ChromeOptions()
    names = "chromium", "google-chrome", "chromium-browser"
    options.binary_location = next(filter(None, map(shutil.which, names)), "")
    if not options.binary_location: sys.exit("no Chromium here: apt-get install chromium chromium-driver")
    for flag in [*FLAGS, f"--user-data-dir={profile}"]: options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", dict(browser="ALL", performance="ALL"))
    folder = os.environ.get("CHROMEWEBDRIVER", "")  # where GitHub's machines keep it
    driver = shutil.which("chromedriver") or shutil.which("chromedriver", path=folder)
    if not driver: sys.exit("no chromedriver here: apt-get install chromium-driver")
    browser = webdriver.Chrome(options=options, service=Service(driver))
    browser.set_script_timeout(60)
    browser.asked = {}  # requests that have no answer yet: id -> address
    return browser


def axe_core():
    "The text of axe-core, which npm brings and which is kept; None where it cannot, which CI does not accept"
    try: return (npm_files(AXE, AXE_FILES, data_home("archive"))/"axe.min.js").read_text(encoding="utf-8")
    except NoPackage as e: print(f"SKIPPED: {e}")
    if os.environ.get("CI") == "true": sys.exit("without axe-core nobody knows whether all can read the pages")


def complaints(driver, host):
    "What the console and the record of requests say since they were last read, but for the browser's own requests"
    for entry in driver.get_log("browser"):
        if entry["level"] == "SEVERE": yield f"console: {entry['message'][:200]}"
    for entry in driver.get_log("performance"):
        m = json.loads(entry["message"])["message"]
        p = m["params"]
        if m["method"] == "Network.requestWillBeSent":
            url = driver.asked[p["requestId"]] = p["request"]["url"]
            if re.match("(http|ws)s?:", url) and urlsplit(url).netloc != host: yield f"asks the network for {url[:100]}"
        if m["method"] == "Network.responseReceived" and p["response"]["status"] >= 400:
            yield f"status {p['response']['status']} for {p['response']['url'][:100]}"
        if m["method"] == "Network.loadingFailed" and p["requestId"] in driver.asked:
            yield f"no answer for {driver.asked[p['requestId']][:100]}: {p['errorText']}"
        if m["method"] in ("Network.loadingFinished", "Network.loadingFailed"): driver.asked.pop(p["requestId"], None)


def settled(driver, host):
    "Wait until the page is idle and all that it asked for has come, and yield what is said meanwhile"
    for _ in range(100):
        driver.execute_async_script(IDLE)
        yield from complaints(driver, host)
        waiting = [url for url in driver.asked.values() if url.startswith("http")]
        if not waiting: return
        time.sleep(.05)
    yield f"no answer for {waiting[0][:100]} within seconds"


def set_view(driver, view):
    "The size of the window and the colours that its reader prefers"
    width, height, scheme = VIEWS[view]
    size = dict(width=width, height=height, deviceScaleFactor=1, mobile=view=="phone")
    colours = dict(features=[dict(name="prefers-color-scheme", value=scheme)])
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", colours)


def open_page(driver, url, view, axe, contrast):
    "Load a page as `view` says, wait until it has settled, and yield what is wrong"
    set_view(driver, view)
    driver.asked.clear()
    driver.get(url)
    yield from settled(driver, urlsplit(url).netloc)
    yield from (f"picture not shown: {src}" for src in driver.execute_script(MISSING))
    yield from (f"wider than the window: {what}" for what in driver.execute_script(WIDER))
    yield from (f"the id {name} stands twice" for name in driver.execute_script(TWICE))
    yield from (f"cut in a narrow column: {word}" for word in driver.execute_script(CUT))
    yield from (f"hard to read: {what}" for what in driver.execute_script(PALE))
    if axe:
        driver.execute_script(axe)
        yield from (f"axe-core: {what}" for what in driver.execute_async_script(FOUND, contrast))


def shoot(driver, file):
    "Save the whole page as a picture"
    box = driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = dict(x=0, y=0, width=box["width"], height=box["height"], scale=1)
    shot = driver.execute_cdp_cmd("Page.captureScreenshot", dict(captureBeyondViewport=True, clip=clip))
    file.write_bytes(base64.b64decode(shot["data"]))


SAID = """const page = document.querySelector(".try iframe")?.contentDocument, text = id => page?.getElementById(id)?.textContent;
return (text("wrong") || text("said") || "nothing")"""


def learns(driver, address):
    "Press the button of lesson 2f, wait until the page that learns is ready in its place, and yield what is wrong"
    driver.asked.clear()
    driver.get(f"{address}/teach.html")
    driver.find_element("css selector", ".try button").send_keys("\n")
    for _ in range(600):
        said = driver.execute_script(SAID)
        if said == "Ready for photos.": break
        time.sleep(.1)
    else: yield f"the page that learns says: {said}"
    yield from complaints(driver, urlsplit(address).netloc)


WANTED = {"photo_dls": "vision.html#photo_dls", "SGD": "sgd_from_scratch.html#sgd", "Minibatches": "mnist.html#minibatches",
          "Trainer": "training.html#trainer", "forget zero_grad": "sgd_from_scratch.html#sgd.zero_grad", "learning rate": "glossary.html#word-learning-rate"}  # what a reader may look for, and where it is explained
RESULTS = ".search-result, #quarto-search-results a, .aa-DetachedContainer li a"
HREFS = f"return [...document.querySelectorAll('{RESULTS}')].map(a => a.getAttribute('href'))"


def search(driver, words):
    "The addresses that the site's search shows for these words, in its order"
    for button in driver.find_elements("css selector", "#quarto-search button.aa-DetachedSearchButton"): button.send_keys("\n")
    field = WebDriverWait(driver, 30).until(lambda d: d.find_element("css selector", "input.aa-Input, .smalldocs-search input"))
    field.click()
    driver.execute_cdp_cmd("Input.insertText", dict(text=words))  # all at once: no answer to the first half of a word
    try: found = WebDriverWait(driver, 10).until(lambda d: d.execute_script(HREFS))
    except TimeoutException: return ["nothing"]
    return [re.sub(r"\?q=[^#]*", "", href).lstrip("./") for href in found]


def misleads(driver, address):
    "Ask the search what a reader may look for, and yield what it shows before the place where that is explained"
    set_view(driver, "desktop")
    for words,place in WANTED.items():
        driver.get(f"{address}/index.html")
        found = search(driver, words)
        first = found[0].partition("#")[0]  # Quarto shows the page before its section
        if place not in found[:3] or first not in (place.partition("#")[0], "glossary.html"):
            yield f"the search for {words} shows {', '.join(found[:3])} before {place}"
        used = [href for href in found[:5] if "promises" in href or href.startswith("foundations") != place.startswith("foundations")]
        if used: yield f"the search for {words} shows {used[0]} early"
    yield from complaints(driver, urlsplit(address).netloc)


SEEN = """return [...document.querySelectorAll("main mark")].some(mark => {
    const box = mark.getBoundingClientRect();
    return mark.checkVisibility() && box.bottom > 0 && box.top < innerHeight;
});"""


def far_words(entries):
    "The page whose beginning has a word furthest from its first line that stands in a heading, too; the page and that word"
    headings = {}
    for e in entries: headings.setdefault(e["href"].partition("#")[0], []).append(e["section"])
    found = [(html.unescape(e["text"]).lower().find(word.lower()), e["href"], word) for e in entries if "#" not in e["href"]
             for word in re.findall(r"[A-Za-z]{4,}", " ".join(headings[e["href"]]))]
    return max(found)[1:]


def loses(driver, address):
    "Follow what Quarto's search says of a page's beginning, to a word and to two that stand apart, and yield what is not in view then"
    set_view(driver, "phone")
    driver.get(f"{address}/index.html")
    if not driver.find_elements("css selector", "script[src*='quarto-search/']"): return
    page,word = far_words(driver.execute_async_script("fetch('search.json').then(said => said.json()).then(arguments[0])"))
    for asked in (word, f"{word} nowhere"):
        driver.get(f"{address}/{page}?q={quote(asked)}")
        try: WebDriverWait(driver, 10).until(lambda d: d.execute_script(SEEN))
        except TimeoutException: yield f"{page} does not show {asked} to whoever comes from a search for it"
    yield from complaints(driver, urlsplit(address).netloc)


def browse(tasks, address, axe, a):
    "Do tasks in a browser of one's own as long as there are any: pages to be opened, and functions that yield what is wrong"
    wrong = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = chromium(profile)
        try:
            while True:
                try: here = tasks.get_nowait()
                except Empty: return wrong
                if callable(here):
                    wrong += [f"{here.__name__}: {w}" for w in here(driver, address)]
                    continue
                for view in VIEWS:
                    said = open_page(driver, f"{address}/{here}", view, view in a.axe and axe, a.contrast)
                    wrong += [f"{here}, {view}: {w}" for w in said]
                    if a.shots: shoot(driver, a.shots/f"{here.replace('/', '-').removesuffix('.html')}-{view}.png")
        finally: driver.quit()


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("site", type=Path, nargs="?", default="_docs", help="folder of the built site (default: _docs)")
    p.add_argument("--only", default="", help="open only pages whose path has this pattern in it, such as 'masks|index'")
    p.add_argument("--axe", nargs="*", choices=VIEWS, default=["desktop", "phone"], help="the views in which axe-core looks (default: desktop phone)")
    p.add_argument("--contrast", action="store_true", help="let axe-core measure contrasts, too: three seconds a page, after our own measure in a moment")
    p.add_argument("--browsers", type=int, default=os.cpu_count() or 1, help="browsers that share the pages (default: one for each core)")
    p.add_argument("--shots", type=Path, help="save a picture of each page and view in this folder")
    a = p.parse_args()
    pages = sorted(p for p in a.site.rglob("*.html") if re.search(a.only, p.relative_to(a.site).as_posix())
                   and p != a.site/"teach"/"index.html")  # which `learns` opens
    if not pages: sys.exit(f"{a.site} has no pages: build the site first")
    if a.shots: a.shots.mkdir(parents=True, exist_ok=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(a.site)))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    todo = Queue()
    for task in [*([] if a.only else (learns, misleads, loses)), *(p.relative_to(a.site).as_posix() for p in pages)]: todo.put(task)
    axe = axe_core() if a.axe else None
    with ThreadPoolExecutor(a.browsers) as pool:
        opened = [pool.submit(browse, todo, address, axe, a) for _ in range(a.browsers)]
        wrong = sorted(w for found in opened for w in found.result())
    print(f"{len(pages)} pages opened in {len(VIEWS)} views: {len(wrong)} things wrong")
    if wrong: sys.exit("\n".join(wrong))


if __name__ == "__main__": main()
