"""What a bundle saves: cold start, one photo, a hundred photos, against fastai in the same run; exit status 1 if a bar is missed.

Each side runs in a process of its own, in turns, since torch's threads go on spinning and would slow the others.
Usage: python bench/deploy.py    (no data needed: 100 JPEGs of 300 pixels are cut from the photos that come along)"""
import json, resource, subprocess, sys, tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

def timed(f, n):
    "Median seconds of `n` calls after a first one"
    f()
    times = []
    for _ in range(n):
        start = perf_counter()
        f()
        times.append(perf_counter()-start)
    return median(times)

def make(folder, _):
    "A lite0 at 224 pixels as bundle and as fastai's pickle, and the photos"
    import numpy as np
    from PIL import Image
    from lessonlib.data import dataset
    from lessonlib.export import export_bundle
    from lessonlib.vision import photo_dls, photo_learner
    cup,rng = Image.open(dataset("photos")/"coffee.png").convert("RGB"),np.random.default_rng(0)
    for i in range(100):
        (folder/"photos"/"ab"[i%2]).mkdir(parents=True, exist_ok=True)
        x,y = rng.integers(0, 300),rng.integers(0, 175)
        cup.crop((x, y, x+300, y+225)).save(folder/"photos"/"ab"[i%2]/f"{i:02}.jpg", quality=90)
    learn = photo_learner(photo_dls(folder/"photos", size=224, bs=64))
    export_bundle(learn, folder/"bundle")
    learn.export(folder.resolve()/"export.pkl")
    return {}

def cold_bundle(folder, file):
    from lessonlib.deploy import load_bundle
    load_bundle(folder/"bundle").predict(file)
    return dict(heavy=[m for m in ("torch", "fastai") if m in sys.modules])

def cold_fastai(folder, file):
    from fastai.vision.all import load_learner
    learn = load_learner(folder/"export.pkl")
    with learn.no_bar(): learn.predict(file)
    return {}

def warm_bundle(folder, file):
    from lessonlib.deploy import load_bundle
    from lessonlib.photo import open_photo, square
    c,files = load_bundle(folder/"bundle"),sorted((folder/"photos").glob("*/*.jpg"))
    x = square(open_photo(file), 224, "squish")[None]
    return dict(one=timed(lambda: c.predict(file), 50),
        session=timed(lambda: c.session.run(None, {"image": x}), 50),
        many=timed(lambda: c.predict_many(files), 3))

def warm_fastai(folder, file):
    from fastai.vision.all import load_learner
    learn,files = load_learner(folder/"export.pkl"),sorted((folder/"photos").glob("*/*.jpg"))
    def many(): learn.get_preds(dl=learn.dls.test_dl(files, bs=64))
    with learn.no_bar(): return dict(one=timed(lambda: learn.predict(file), 20), many=timed(many, 3))

def child(side, folder):
    "Run one side in a new process: what it measured, its seconds in all and its peak memory"
    start = perf_counter()
    out = subprocess.run([sys.executable, __file__, side, str(folder)], check=True, capture_output=True, text=True).stdout
    seconds = perf_counter()-start
    return dict(json.loads(out.splitlines()[-1]), seconds=seconds)

def main():
    with tempfile.TemporaryDirectory() as tmp:
        child("make", folder := Path(tmp)) # a child's peak memory is never below its parent's: stay small
        sides = cold_bundle,cold_fastai,warm_bundle,warm_fastai
        runs = {f.__name__: [] for f in sides}
        for i in range(5):
            for f in sides[:2 if i>2 else 4]: runs[f.__name__].append(child(f.__name__, folder))
    def mid(side, key): return median(r[key] for r in runs[side])
    cold,theirs = mid("cold_bundle", "seconds"),mid("cold_fastai", "seconds")
    one,many = mid("warm_bundle", "one"),mid("warm_bundle", "many")
    bars = [("cold start, s", cold, .4), ("cold start, MB", mid("cold_bundle", "mb"), 160),
        ("cold start / load_learner + predict", cold/theirs, 1/12),
        ("one photo / learn.predict", one/mid("warm_fastai", "one"), .35),
        ("one photo / the session alone", one/mid("warm_bundle", "session"), 1.5),
        ("100 photos / test_dl + get_preds", many/mid("warm_fastai", "many"), .8)]
    print(f"cold {cold:.2f} s against {theirs:.2f} s; one photo {1e3*one:.1f} ms, 100 photos {many:.2f} s")
    for name,value,bar in bars: print(f"{'ok' if value<=bar else 'MISSED':6} {name}: {value:.3g} (bar {bar:.3g})")
    heavy = runs["cold_bundle"][0]["heavy"]
    return int(bool(heavy) or any(value>bar for _,value,bar in bars))

if __name__=="__main__":
    if len(sys.argv)==1: sys.exit(main())
    side,folder = sys.argv[1],Path(sys.argv[2])
    result = globals()[side](folder, folder/"photos"/"a"/"00.jpg")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/(2**20 if sys.platform=="darwin" else 2**10)
    print(json.dumps(dict(result, mb=peak)))
