#!/usr/bin/env python3
"""Eight clients ask the app for five hundred photos, on loopback, and twenty files that explode come among them: is every
answer right, does each of the twenty get a sentence, and is memory as after the warm-up?

    python bench/app.py            # a bundle is trained first; or name one: python bench/app.py BUNDLE

Memory (of the app, and of its process for the network) is read twenty-five times. The least of the first five readings
after the warm-up is compared with the least of the last five: now and then the C library holds on to the room of one large photo and gives it back a little later, which
moves single readings up and down by a tenth, whereas a leak lifts the least as well.
"""
import argparse, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lessonlib.deploy import load_bundle
from lessonlib.tests.test_spaces import Running, ask, good_photos, hammer, memory
from lessonlib.tests.test_structure import BOMBS


def trained(folder):
    "A bundle of the embedded faces"
    from lessonlib.data import dataset
    from lessonlib.export import export_bundle
    from lessonlib.vision import fine_tune, photo_dls, photo_learner
    learn = photo_learner(photo_dls(dataset("faces"), size=224))
    with learn.no_bar(), learn.no_logging(): fine_tune(learn, 1)
    return export_bundle(learn, folder/"bundle")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("bundle", nargs="?", type=Path)
    p.add_argument("--rounds", type=int, default=1, help="how often each of 20 photos is asked for between two readings")
    p.add_argument("--warm", type=int, default=5, help="rounds before we measure")
    p.add_argument("--clients", type=int, default=8)
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        bundle = (a.bundle or trained(scratch)).resolve()
        classifier = load_bundle(bundle)
        answers = {name: classifier.answer(content) for name, content in good_photos().items()}
        start = f"from lessonlib.spaces import *; run_app({str(bundle)!r})"
        used, n, wrong, bombs = [], 0, [], [make() for make in BOMBS.values()]
        with Running(start, scratch/"log") as running, ThreadPoolExecutor(1) as apart:
            hammer(running, answers, a.warm, a.clients)
            began = time.perf_counter()
            for i in range(25):
                bomb = apart.submit(ask, running, "bomb.jpg", bombs[i % len(bombs)]) if i<20 else None
                got, bad = hammer(running, answers, a.rounds, a.clients)
                said = bomb.result() if bomb else ""
                if not isinstance(said, str): wrong.append(("bomb", said))
                used.append(memory(running)); n += got; wrong += bad
            seconds = time.perf_counter()-began
    before, after = min(used[:5]), min(used[-5:])
    grown = after/before-1
    print(f"{n} answers in {seconds:.0f} s ({n/seconds:.1f} a second), {len(wrong)} wrong; "
          f"memory {before:.0f} MB after the warm-up, {after:.0f} MB at the end ({grown:+.1%}, bar +10 %), "
          f"{max(used):.0f} MB at most")
    if wrong or grown > .1: sys.exit(f"missed: {wrong[:3]}")


if __name__ == "__main__": main()
