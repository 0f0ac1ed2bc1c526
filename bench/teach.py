#!/usr/bin/env python3
"""The page that learns, in a browser without a window: how long two classes of twenty photos take, and one photo more; how many
times the page answers as Python does; whether it stays usable with five hundred photos in five classes; and whether its network,
stored in half precision, says of a thousand photos what the whole one says.

    FASTAI_HOME=DIR python bench/teach.py     # photos of animals if oxford-iiit-pet is in DIR/data, else the embedded ones

Seconds are of this machine, and include the driver's own; "long" tasks are those over 50 ms."""
import shutil, tempfile, time
from pathlib import Path

import numpy as np
from onnx import load_from_string

from lessonlib.data import data_home, dataset
from lessonlib.deploy import load_bundle
from lessonlib.features import fit_head, photo_features
from lessonlib.network import Network, feature_network
from lessonlib.photo import open_photo, square
from lessonlib.tests.conftest import FLAGS
from lessonlib.tests.test_spaces import asked, good_photos, serve
from lessonlib.tests.test_teach import Teacher, ask, downloaded, unpacked
from lessonlib.teach import halved, teach_page

LONG = """window.long = []; new PerformanceObserver(list => list.getEntries().forEach(e => long.push(e.duration)))
    .observe({entryTypes: ["longtask"]})"""


def browser():
    from selenium import webdriver
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome")
    for flag in FLAGS: options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", dict(browser="ALL", performance="ALL"))
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))


def breeds(n, each):
    "Photos of breeds, birds and trees; or faces and others if there is nothing else"
    pets,wild = (Path(data_home("data"))/name for name in ("oxford-iiit-pet/images", "bird_or_tree"))
    if not pets.is_dir(): return [sorted(d.iterdir())[:each] for d in sorted(dataset("faces").iterdir())][:n]
    files = sorted(pets.glob("*.jpg"))
    names = sorted({f.name.rpartition("_")[0] for f in files})
    found = [[f for f in files if f.name.rpartition("_")[0]==name] for name in names]
    found += [sorted(d.glob("*.*g")) for d in sorted(wild.glob("*/"))]
    return [photos[:each] for photos in found[:n]]


def taught(page, classes):
    "Seconds until the error stands, after all photos have been given at once"
    while len(page.all(".class"))<len(classes): page.find("#add").click()
    start = time.perf_counter()
    for place,photos in enumerate(classes): page.give(place, photos)
    page.learned(sum(map(len, classes)))
    return time.perf_counter()-start


def memory(driver):
    "Megabytes of the tab: the largest of the browser's processes"
    import psutil
    tree = psutil.Process(driver.service.process.pid).children(recursive=True)
    return max(p.memory_info().rss for p in tree if "renderer" in " ".join(p.cmdline()))/1e6


def rounded(home):
    "How far answers move when the network's weights are stored in half precision: heads learn from every second photo"
    for i,photos in enumerate(breeds(5, 200)):
        (home/"all"/f"{i}").mkdir(parents=True)
        for f in photos: shutil.copy(f, home/"all"/f"{i}"/f.name)
    whole = feature_network()
    small = halved(load_from_string(whole.content)).SerializeToString()
    network = Network(small, whole.arch, whole.size)
    features = photo_features(home/"all", quiet=True)
    seen = np.stack([network(square(open_photo(f), whole.size, "squish")) for f in features.files])
    gaps,changed = [],0
    for first in 0, 1:
        head = fit_head(features.take(slice(first, None, 2)))
        rows = slice(1-first, None, 2) # which that head has not seen
        a,b = (head.probabilities(x[rows]) for x in (features.x, seen))
        gaps.append(abs(a-b).max())
        changed += int((a.argmax(1)!=b.argmax(1)).sum())
    print(f"half precision: {len(small)/1e6:.1f} MB for {len(whole.content)/1e6:.1f}; of {len(seen)} photos it changes {changed} "
          f"labels, and a probability by {max(gaps):.4f} at most")
    assert len(small)<8e6 and not changed and max(gaps)<1e-2


def main():
    runtime = data_home("archive")/"onnxruntime-web-1.30.0"/"package"
    home = Path(tempfile.mkdtemp())
    rounded(home)
    teach_page(home/"page", runtime=runtime)
    address = f"http://127.0.0.1:{serve(home)}/page/index.html"
    driver = browser()
    try:
        page = Teacher(driver, address, home/"down")
        two,spare = breeds(2, 20),breeds(2, 21)[0][20:]
        print(f"2 × 20 photos: {taught(page, two):.1f} s until the error stands; {page.text('#error')[:60]}")
        start = time.perf_counter()
        page.give(0, spare)
        page.learned(41)
        print(f"a photo more: {time.perf_counter()-start:.2f} s")
        classifier = load_bundle(unpacked(downloaded(page, "#bundle", "classifier.zip"), home/"b")/"bundle")
        photos = dict(good_photos()) | {f.name: f.read_bytes() for fs in breeds(2, 36) for f in fs[21:]}
        gaps = []
        for name,content in photos.items():
            (home/name).write_bytes(content)
            seen,answer = ask(page, home/name),classifier.answer(home/name)
            assert seen["words"].lower().startswith(answer.words.lower()), (name, seen, answer)
            gaps.append(max(abs(seen["probs"][k]-p) for k,p in answer.probs.items()))
        print(f"{len(gaps)} photos: page and Python differ by {max(gaps):.1e} in a probability; the same words each time")
        page.find("#wipe").click()
        page.find("#sure [value=yes]").click()
        page.until(lambda: page.text("#said")=="All is forgotten.")
        page.do(LONG)
        page.until = lambda happened: wait(happened)
        five = breeds(5, 105)
        took = taught(page, five)
        print(f"{sum(map(len, five))} photos in {len(five)} classes: {took:.0f} s; {page.text('#error')[:60]}")
        print(f"longest tasks of the page: {sorted(page.do('return window.long'))[-3:]} ms; the tab has {memory(driver):.0f} MB")
        urls = asked(driver)[0]
        print(f"{sum(not u.startswith(address[:22]) for u in urls)} of {len(urls)} requests went elsewhere")
    finally: driver.quit()


def wait(happened):
    for _ in range(6000):
        if happened(): return
        time.sleep(.1)
    raise TimeoutError


main()
