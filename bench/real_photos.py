"""How long fine-tuning takes on two sets of real photos, with the colours last in memory and without, and how often the result is wrong.

Usage: FASTAI_HOME=DIR python bench/real_photos.py    (the sets have to be in DIR/data; on a CPU; threads as torch chooses)"""
import time
import torch
from fastai.vision.all import ChannelsLast
from lessonlib.data import dataset
from lessonlib.vision import evaluate, fine_tune, photo_dls, photo_learner

def is_cat(file): return "cat" if file.name[0].isupper() else "dog"

def trained(folder, seed, colours_last, **settings):
    "Seconds of a fine-tuning, and the error after it"
    learn = photo_learner(photo_dls(folder, augment=True, **settings), seed=seed)
    if not colours_last: learn.remove_cb(ChannelsLast)
    start = time.perf_counter()
    with learn.no_bar(), learn.no_logging(): fine_tune(learn, 3)
    return time.perf_counter()-start, evaluate(learn)

sets = dict(bird_or_tree=(dataset("bird_or_tree"), {}),
            pets=(dataset("oxford-iiit-pet")/"images", dict(label=is_cat)))
print(f"{torch.get_num_threads()} threads")
for name,(folder,settings) in sets.items():
    for seed in 42, 1, 2:
        slow,error = trained(folder, seed, False, **settings)
        fast,error_last = trained(folder, seed, True, **settings)
        print(f"{name}, seed {seed}: {slow:.0f} s, error {error}; colours last {fast:.0f} s, error {error_last}; "
              f"ratio {slow/fast:.2f}", flush=True)
