"""How well are falsified labels and planted copies found, beside the package cleanlab?

A tenth of the labels is falsified, with five seeds; both rank the same features with the same folds. Then a copy of every photo is planted, resized, saved
anew, mirrored or cut by 5 %, and the pairs that are found are compared with those that were planted.

    OMP_NUM_THREADS=1 FASTAI_HOME=DIR python bench/cleaning.py    (the sets have to be in DIR/data; threads that wait for a busy core cost tenfold)
"""
import re, shutil, tempfile
from copy import copy
from pathlib import Path
from time import perf_counter

import numpy as np
from cleanlab.rank import get_label_quality_scores
from PIL import ImageOps
from sklearn.metrics import average_precision_score

from lessonlib.checks import strangers, suspects
from lessonlib.cleaning import Cleaner
from lessonlib.data import dataset
from lessonlib.features import choose_strength, near_duplicates, out_of_fold, photo_features
from lessonlib.photo import open_photo

METHODS = "self_confidence", "normalized_margin", "confidence_weighted_entropy"

def breed(file): return re.sub(r"_\d+$", "", file.stem)

def falsified(features, seed):
    "The features with a tenth of the labels falsified, and which"
    draw,n,k = np.random.default_rng(seed),len(features),len(features.labels)
    wrong = draw.choice(n, n//10, replace=False)
    dirty = copy(features)
    dirty.y = features.y.copy()
    dirty.y[wrong] = (dirty.y[wrong]+draw.integers(1, k, len(wrong)))%k
    return dirty,np.isin(np.arange(n), wrong)

def recall_at(precision, wrong, order):
    hits = np.cumsum(wrong[order])
    return hits[hits/np.arange(1, len(wrong)+1)>=precision].max()/wrong.sum()

def labels(features):
    "For each seed: average precision of ours and of cleanlab's best, recall where 80 % are right, seconds"
    features.groups # near duplicates are found once
    for seed in range(5):
        dirty,wrong = falsified(features, seed)
        start = perf_counter()
        strength = choose_strength(dirty)
        judged = out_of_fold(dirty, strength)
        found = suspects(dirty, judged, strength)
        seconds = perf_counter()-start
        places = [s.place for s in found]
        rank = np.empty(len(places))
        rank[places] = np.arange(len(places))
        ours = average_precision_score(wrong, -rank)
        theirs = {method[:10]: average_precision_score(wrong, -get_label_quality_scores(
            dirty.y, judged.probs, method=method)) for method in METHODS}
        yield ours, max(theirs.values()), recall_at(.8, wrong, places), seconds

def plant(file, folder, i):
    "A photo and a copy of it, of one of four kinds"
    im = open_photo(file)
    w,h = im.size
    ways = [im.resize((w//2, h//2)), im, ImageOps.mirror(im), im.crop((0, h//20, w*95//100, h))]
    im.save(folder/f"{i}.png")
    ways[i%4].save(folder/f"{i}-copy.jpg", quality=40 if i%4==1 else 90)

def copies(features):
    "How many planted copies are found, how many pairs are neither planted nor in the set itself"
    true = {frozenset((str(i), str(j))) for i,j,_ in near_duplicates(features)}
    folder = Path(tempfile.mkdtemp())
    for i,file in enumerate(features.files): plant(file, folder, i)
    seen = photo_features(folder, quiet=True)
    names = [f.stem.removesuffix("-copy") for f in seen.files]
    pairs = [frozenset((names[i], names[j])) for i,j,_ in near_duplicates(seen)]
    found = {pair for pair in pairs if len(pair)==1}
    return len(found)/len(features), sum(len(p)==2 and p not in true for p in pairs), len(seen)

def seconds_of_a_decision():
    "Median of nine decisions about birds and trees, each with the head and the error after it"
    folder = Path(tempfile.mkdtemp())/"set"
    shutil.copytree(dataset("bird_or_tree"), folder)
    cleaner,taken = Cleaner(photo_features(folder, quiet=True)),[]
    for file in cleaner.worst()[:9]:
        start = perf_counter()
        cleaner.decide(file, "delete")
        taken.append(perf_counter()-start)
    return np.median(taken), len(cleaner.scores)

sets = dict(bird_or_tree=(dataset("bird_or_tree"), None), pets=(dataset("oxford-iiit-pet")/"images", breed))
for name,(folder,label) in sets.items():
    features = photo_features(folder, label=label, quiet=True)
    rows = np.array(list(labels(features)))
    for seed,(ours,theirs,recall,seconds) in enumerate(rows):
        print(f"{name}, seed {seed}: average precision {ours:.4f}, cleanlab's best {theirs:.4f}; "
              f"recall at precision 80 % {recall:.3f}; {seconds:.1f} s", flush=True)
    print(f"{name}: average precision {rows[:,0].mean():.4f}, cleanlab's best {rows[:,1].mean():.4f}; recall "
          f"{rows[:,2].mean():.3f}; {np.median(rows[:,3]):.1f} s; {len(strangers(features))} strangers of {len(features)}")
    found,false,n = copies(features)
    print(f"{name}: {found:.1%} of the planted copies found, {false} other pairs in {n} photos", flush=True)
print("a decision: {:.2f} s with {} photos".format(*seconds_of_a_decision()))
