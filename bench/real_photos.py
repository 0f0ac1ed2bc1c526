"""How long fine-tuning takes on two sets of real photos, and how often the result is wrong.

Usage: FASTAI_HOME=DIR python bench/real_photos.py    (the sets have to be in DIR/data; threads as torch chooses)"""
import time
import torch
from lessonlib.data import dataset
from lessonlib.vision import evaluate, fine_tune, photo_dls, photo_learner

sets = dict(bird_or_tree={}, pets=dict(label=lambda f: "cat" if f.name[0].isupper() else "dog"))
folders = dict(bird_or_tree=dataset("bird_or_tree"), pets=dataset("oxford-iiit-pet")/"images")
print(f"{torch.get_num_threads()} threads")
for name,settings in sets.items():
    for seed in 42, 1, 2:
        learn = photo_learner(photo_dls(folders[name], augment=True, **settings), seed=seed)
        start = time.perf_counter()
        with learn.no_bar(), learn.no_logging(): fine_tune(learn, 3)
        print(f"{name}, seed {seed}: {time.perf_counter()-start:.0f} s, error {evaluate(learn)}", flush=True)
