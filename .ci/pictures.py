#!/usr/bin/env python3
"""Draw two pictures for nbs/images: card.png (1200 × 630), which others show beside a link to the site, and answer.png of the home
page. Both show a photo and what the head of lesson 1b, trained on the faces, says of it."""
from pathlib import Path
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from lessonlib.data import dataset
from lessonlib.features import fit_head, photo_features
from lessonlib.photo import open_photo, square

IMAGES = Path(__file__).resolve().parents[1]/"nbs"/"images"
GROUND, PALE, WARM = "#1d3557", "#8ecae6", "#f4a261"


def asked():
    "A photo that is new to the head, and its probability for each label"
    features = photo_features(dataset("faces"))
    head = fit_head(features)
    photo = open_photo(dataset("photos")/"astronaut.png").crop((150, 30, 310, 190))
    seen = features.network(square(photo, 160, "squish"))
    return photo, dict(zip(head.labels, head.probabilities(seen[None])[0]))


def draw_answer(fig, photo, probs, left, bottom, height):
    "The photo with a bar for each label beneath, in a column of the figure"
    wide = height*fig.get_figheight()/fig.get_figwidth()
    ax = fig.add_axes((left, bottom, wide, height))
    ax.imshow(photo)
    ax.axis("off")
    for i,(label,share) in enumerate(probs.items()):
        y = bottom-.115-.07*i
        fig.text(left, y, label, color="white", size=19, va="center")
        bar = fig.add_axes((left+.08, y-.02, wide-.08, .04), facecolor="#33507a")
        bar.barh(0, share, color=WARM, height=1)
        bar.set(xlim=(0, 1), ylim=(-.5, .5), xticks=[], yticks=[])
        for side in bar.spines.values(): side.set_visible(False)
        fig.text(left+wide+.015, y, f"{share:.0%}", color="white", size=19, va="center")


def draw_curve(fig, box):
    "Points, and the curve that runs through them"
    ax = fig.add_axes(box, facecolor=GROUND)
    x = np.linspace(-2, 2, 20)
    curve = 3*x**2+2*x+1
    ax.plot(x, curve, color=WARM, lw=4)
    ax.plot(x, curve+np.random.default_rng(2).normal(0, 1.4, 20), "o", color=PALE, ms=7)
    ax.axis("off")


def save(fig, name):
    "Save in few colours, so that the file stays small"
    fig.canvas.draw()
    Image.fromarray(np.asarray(fig.canvas.buffer_rgba())).convert("RGB").quantize(128).save(IMAGES/name, optimize=True)


def main():
    photo,probs = asked()
    card = plt.figure(figsize=(12, 6.3), dpi=100, facecolor=GROUND)
    card.text(.06, .78, "lessonlib", color="white", size=58, weight="bold")
    said = "Deep learning from your own photos\nto a page others can use"
    card.text(.06, .655, said, color=PALE, size=23, va="top", linespacing=1.4)
    card.text(.06, .1, "Lessons that run, and prove\ntheir figures", color="white", size=19, linespacing=1.4)
    draw_answer(card, photo, probs, .60, .40, .514)
    draw_curve(card, (.06, .235, .30, .21))
    save(card, "card.png")
    answer = plt.figure(figsize=(12, 4.6), dpi=100, facecolor=GROUND)
    for y,text in ((.80, "200 small photos, two folders:"), (.69, "faces, and other things."), (.50, "A few seconds on two cores."),
                   (.31, "A photo it has never seen,"), (.20, "and its answer →")):
        answer.text(.05, y, text, color="white" if y > .6 else PALE, size=24, va="center")
    draw_answer(answer, photo, probs, .60, .31, .62)
    save(answer, "answer.png")


if __name__ == "__main__": main()
