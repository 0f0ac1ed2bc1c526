#!/usr/bin/env python3
"""Draw nbs/images/card.png (1200 × 630), which others show beside a link to the site: a photo, its answer, and a curve that is fitted."""
from pathlib import Path
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from lessonlib.data import dataset

ROOT = Path(__file__).resolve().parents[1]
GROUND, PALE, WARM = "#1d3557", "#8ecae6", "#f4a261"


def card(dest):
    "Draw the card and save it in few colours, so that it stays small"
    fig = plt.figure(figsize=(12, 6.3), dpi=100, facecolor=GROUND)
    fig.text(.06, .78, "lessonlib", color="white", size=58, weight="bold")
    fig.text(.06, .655, "Deep learning from your own photos\nto a page others can use", color=PALE, size=23, va="top", linespacing=1.4)
    fig.text(.06, .1, "Lessons that run, and prove\ntheir figures", color="white", size=19, linespacing=1.4)
    photo = fig.add_axes((.60, .40, .27, .27*1200/630))
    photo.imshow(Image.open(dataset("photos")/"astronaut.png").convert("RGB").crop((150, 30, 310, 190)))
    photo.axis("off")
    for y,label,share in ((.285, "face", 1.), (.215, "other", 0.)):
        fig.text(.60, y, label, color="white", size=19, va="center")
        bar = fig.add_axes((.68, y-.02, .19, .04), facecolor="#33507a")
        bar.barh(0, share, color=WARM, height=1)
        bar.set(xlim=(0, 1), ylim=(-.5, .5), xticks=[], yticks=[])
        for side in bar.spines.values(): side.set_visible(False)
        fig.text(.885, y, f"{share:.0%}", color="white", size=19, va="center")
    curve = fig.add_axes((.06, .235, .30, .21), facecolor=GROUND)
    x = np.linspace(-2, 2, 20)
    curve.plot(x, 3*x**2+2*x+1, color=WARM, lw=4)
    curve.plot(x, 3*x**2+2*x+1+np.random.default_rng(2).normal(0, 1.4, 20), "o", color=PALE, ms=7)
    curve.axis("off")
    fig.canvas.draw()
    image = Image.fromarray(np.asarray(fig.canvas.buffer_rgba())).convert("RGB")
    image.quantize(128).save(dest, optimize=True)


if __name__ == "__main__": card(ROOT/"nbs"/"images"/"card.png")
