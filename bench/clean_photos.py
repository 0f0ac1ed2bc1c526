"""How much faster is clean_photos than fastai's verify_images and resize_images?

Makes 60 photos of 12 megapixels, cleans copies of them in several ways, each five times and in turn, and prints the
medians. All shrink to 400 pixels on the long side, with the same number of workers: threads in clean_photos,
processes in fastai. Quality is compared with a full decode that Lanczos shrinks.

    python bench/clean_photos.py [--photos 60] [--runs 5] [--workers 2]
"""
import os, shutil, tempfile
from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from fastai.vision.utils import get_image_files, resize_image, resize_images, verify_image, verify_images
from fastcore.parallel import parallel
from PIL import Image
from skimage import data

from lessonlib.photos import clean_photos

SIZE = 4000, 3000


def make_photos(folder, n):
    "Write n JPEGs of 12 megapixels: real photos, enlarged and cropped differently, with a camera's grain"
    rng = np.random.default_rng(0)
    sources = [Image.fromarray(a()) for a in (data.astronaut, data.coffee, data.rocket, data.chelsea)]
    grain = rng.normal(0, 4, (SIZE[1]+100, SIZE[0]+100, 1)).astype("float32")
    for i in range(n):
        im = sources[i%4]
        left,top = rng.integers(0, im.width//5), rng.integers(0, im.height//5)
        box = left, top, left+im.width*4//5, top+im.height*4//5
        x = np.asarray(im.resize(SIZE, Image.BICUBIC, box=box), "float32")
        dy,dx = rng.integers(0, 100, 2)
        x += grain[dy:dy+SIZE[1], dx:dx+SIZE[0]]
        Image.fromarray(x.clip(0, 255).astype("uint8")).save(folder/f"{i:03}.jpg", quality=92)


def ours(src, dest, workers):
    clean_photos(src, max_size=400, dest=dest, workers=workers)

def ours_in_place(src, dest, workers):
    clean_photos(src, max_size=400, workers=workers)

def fastai_as_taught(src, dest, workers):
    "What the course does: look for broken photos, then shrink. verify_images chooses its own workers"
    assert not verify_images(get_image_files(src))
    resize_images(src, max_workers=workers, max_size=400, dest=dest)

def fastai_same_workers(src, dest, workers):
    "The same two functions, both with the number of workers that clean_photos has"
    files = get_image_files(src)
    assert all(parallel(verify_image, files, n_workers=workers))
    resize_images(src, max_workers=workers, max_size=400, dest=dest)

def fastai_threads(src, dest, workers):
    "The same in threads, which need not be started as programs"
    files = get_image_files(src)
    assert all(parallel(verify_image, files, n_workers=workers, threadpool=True))
    names = [f.relative_to(src) for f in files]
    parallel(resize_image, names, src=src, dest=dest, max_size=400, n_workers=workers, threadpool=True)

def fastai_shrink_only(src, dest, workers):
    "fastai at its best: resize_images alone, which verifies each photo too, though it does not say which fail"
    resize_images(src, max_workers=workers, max_size=400, dest=dest)


WAYS = {f.__name__: f for f in (ours, ours_in_place, fastai_as_taught, fastai_same_workers,
                                fastai_threads, fastai_shrink_only)}


def psnr(a, b): return 10*np.log10(255**2 / np.square(np.subtract(a, b, dtype="float32")).mean())

def quality(src, dest):
    "Mean likeness, in dB, to the best that could be had; and kB a photo"
    def best(f): return Image.open(f).resize((400, 300), Image.LANCZOS)
    files = sorted(dest.rglob("*.jpg"))
    likeness = np.mean([psnr(Image.open(f), best(src/f.name)) for f in files[:8]])
    return likeness, np.mean([f.stat().st_size for f in files])/1000


def one_run(way, photos, workers):
    "Seconds, and quality of what came out, for one way on a fresh copy"
    with tempfile.TemporaryDirectory() as tmp:
        src,dest = Path(tmp)/"photos", Path(tmp)/"small"
        shutil.copytree(photos, src)
        began = perf_counter()
        WAYS[way](src, dest, workers)
        seconds = perf_counter()-began
        out = dest if dest.exists() else src
        assert {Image.open(f).size for f in out.rglob("*.jpg")}=={(400, 300)}
        return seconds, quality(photos, out)


def main():
    p = ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--photos", type=int, default=60)
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--workers", type=int, default=os.cpu_count())
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        photos = Path(tmp)
        make_photos(photos, a.photos)
        mb = sum(f.stat().st_size for f in photos.iterdir())/1e6
        load = f"; load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
        print(f"{a.photos} photos of {SIZE[0]} x {SIZE[1]}, {mb:.0f} MB; {a.workers} workers "
              f"(threads in ours, processes in fastai's, but for fastai_threads){load}")
        runs = {way: [] for way in WAYS}
        for _ in range(a.runs):
            for way in WAYS: runs[way].append(one_run(way, photos, a.workers))
    base = median(seconds for seconds,_ in runs["ours"])
    print(f"{'':22}{'median s':>9}{'min s':>8}{'ratio':>7}{'dB':>7}{'kB':>6}")
    for way,found in runs.items():
        seconds,(likeness, kb) = [s for s,_ in found],found[0][1]
        print(f"{way:22}{median(seconds):9.2f}{min(seconds):8.2f}{median(seconds)/base:7.2f}{likeness:7.1f}{kb:6.0f}")
    ratio = median(s for s,_ in runs["fastai_same_workers"])/base
    print(f"clean_photos is {ratio:.2f} times faster than verify_images then resize_images")


if __name__=="__main__": main()
