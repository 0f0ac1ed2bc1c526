"""Look once, learn in seconds: how much faster than fine-tuning, how often wrong, and how much memory; exit status 1 if a limit is missed.

    python bench/features.py time       `lessonlib train` in new processes, against a new process that fine-tunes as the course does
    python bench/features.py errors     head and fine_tune(3) on the same held-out photos, three seeds, four sets
    python bench/features.py strangers  other photos, digits and noise turned away, while 95 % of one's own pass
    python bench/features.py interval   200 draws from a pool of digits: does the interval hold the true error?
    python bench/features.py memory     5000 photos of 300 pixels
    python bench/features.py where      head and fine_tune(3) on ever more pictures of another kind, digits; draws nbs/images/where_to_tune.png

Without arguments: all but `errors` and `where`. Needs bird_or_tree and oxford-iiit-pet in FASTAI_HOME/data. No network. Threads: as torch and ONNX
Runtime choose; times are medians of `--runs` (5) of whole processes, the ways in turn."""
import argparse, os, resource, shutil, subprocess, sys, tempfile
from pathlib import Path
from statistics import mean, median
from time import perf_counter
import numpy as np

COMMAND = "import sys; from lessonlib.cli import main; sys.exit(main())"
FINE_TUNE = """import sys, warnings; warnings.simplefilter("ignore")
from fastai.vision.all import *
from lessonlib.data import pretrained_weights
dls = ImageDataLoaders.from_folder(sys.argv[1], valid_pct=.2, seed=42, item_tfms=Resize(160), batch_tfms=aug_transforms(), num_workers=0, bs=16)
learn = vision_learner(dls, "tf_efficientnet_lite0", metrics=error_rate, pretrained_cfg_overlay=dict(file=str(pretrained_weights())))
with learn.no_bar(), learn.no_logging(): learn.fine_tune(3)
print(learn.validate()[1])"""

def judge(what, value, limit, least=False):
    good = value>=limit if least else value<=limit
    print(f"  {'holds' if good else 'MISSED'}: {what} {value:.3g} (limit {'at least' if least else 'at most'} {limit})", flush=True)
    return good

def home():
    from lessonlib.data import data_home
    return data_home("model").parent

def seconds(*words, code=COMMAND, **env):
    start = perf_counter()
    done = subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, env={**os.environ, **env})
    if done.returncode: sys.exit(done.stderr)
    return perf_counter()-start

# a whole training

def time(runs):
    from lessonlib.data import dataset
    from lessonlib.features import forget_features
    birds,scratch = dataset("bird_or_tree"),Path(tempfile.mkdtemp())
    seconds("train", birds, "--out", scratch/"first") # the network is written down
    new,kept,tuned = [],[],[]
    for i in range(runs):
        forget_features()
        new.append(seconds("train", birds, "--out", scratch/"new"))
        kept.append(seconds("train", birds, "--out", scratch/"new"))
        tuned.append(seconds(birds, code=FINE_TUNE))
    print(f"train {median(new):.1f} s, with kept features {median(kept):.1f} s; fastai's fine_tune(3) {median(tuned):.1f} s")
    no_torch = COMMAND.replace("sys.exit(main())", "main(); sys.exit(str({'torch', 'fastai'} & {*sys.modules} or '') or 0)")
    seconds("train", birds, "--out", scratch/"new", code=no_torch)
    firsts = []
    for i in range(min(runs, 3)):
        empty = scratch/f"home{i}"
        firsts.append(seconds("train", "--out", scratch/"faces", FASTAI_HOME=str(empty)))
        shutil.rmtree(empty)
    return [judge("fine_tune / train", median(tuned)/median(new), 10, least=True), judge("seconds with kept features", median(kept), 3),
            judge("seconds of the first run ever, on the faces", median(firsts), 20)]

# how often it is wrong

def breed(file): return file.name.rsplit("_", 1)[0]
def species(file): return "cat" if file.name[0].isupper() else "dog"

def sets():
    from lessonlib.data import dataset
    pets = dataset("oxford-iiit-pet")/"images"
    return dict(faces=(dataset("faces"), None), birds=(dataset("bird_or_tree"), None), breeds=(pets, breed), species=(pets, species))

def errors(runs):
    from lessonlib.features import choose_strength, fit_head, photo_features, splits
    from lessonlib.vision import photo_dls, photo_learner, fine_tune, predict_validation
    good = []
    for name,(folder,label) in sets().items():
        head,tuned = [],[]
        features = photo_features(folder, label=label)
        for seed in range(3):
            learn,held = splits(features, 5, seed)[0]
            part = features.take(learn)
            probs = fit_head(part, choose_strength(part)).probabilities(features.x[held])
            head.append((probs.argmax(1)!=features.y[held]).mean())
            dls = photo_dls(folder, 160, label=features.label_of, valid={features.files[i] for i in held}, augment=True)
            learner = photo_learner(dls, seed=seed)
            with learner.no_bar(), learner.no_logging(): fine_tune(learner, 3)
            found = predict_validation(learner)
            tuned.append((found.probs.argmax(1)!=found.targs).mean())
        print(name, "head", [f"{100*e:.1f}" for e in head], "fine_tune", [f"{100*e:.1f}" for e in tuned], flush=True)
        good.append(judge(f"{name}: error of the head, less that of fine_tune, in %", round(100*(mean(head)-mean(tuned)), 6), 0))
    return good

# strangers

def drawn_digits(network, most=300):
    from lessonlib.data import dataset
    x = dataset("mnist").x[::5000//most]
    from PIL import Image
    side = network.size
    return [np.repeat(np.asarray(Image.fromarray(d).resize((side, side)))[:,:,None], 3, 2) for d in x]

def strangers(runs):
    from lessonlib.features import photo_features, splits, stranger_limit
    from lessonlib.network import distances
    draw,good = np.random.default_rng(0),[]
    looked = {name: photo_features(folder, label=label) for name,(folder,label) in sets().items() if name!="species"}
    network = looked["birds"].network
    made = dict(digits=drawn_digits(network), noise=[draw.integers(0, 256, (160, 160, 3), np.uint8) for _ in range(100)])
    others = {name: f.x for name,f in looked.items()} | {name: np.stack([network(x) for x in xs]) for name,xs in made.items()}
    for name in "birds", "breeds":
        features,passed,away = looked[name],[],{other: [] for other in others if other!=name}
        for seed in range(5):
            learn,held = splits(features, 5, seed)[0]
            part = features.take(learn)
            limit = stranger_limit(part)
            passed.append((distances(features.x[held], part.x)<=limit).mean())
            for other in away: away[other].append((distances(others[other], part.x)>limit).mean())
        print(name, f"own {mean(passed):.3f}", {other: round(mean(a), 3) for other,a in away.items()})
        good += [judge(f"{name}: own photos answered", mean(passed), .95, least=True), judge(f"{name}: strangers turned away, at worst", min(map(mean, away.values())), .9, least=True)]
    return good

# an honest interval

def interval(runs):
    from lessonlib.data import dataset
    from lessonlib.features import Features, Z, choose_strength, fit_head, out_of_fold
    from lessonlib.judging import error_of
    from lessonlib.network import feature_network
    from multiprocessing.pool import ThreadPool
    network,data = feature_network(size=64),dataset("mnist")
    rows = np.isin(data.y, (3, 5, 8))
    network.size = 64
    from PIL import Image
    def seen(digit): return network(np.repeat(np.asarray(Image.fromarray(digit).resize((64, 64)))[:,:,None], 3, 2))
    with ThreadPool() as threads: x = np.stack(threads.map(seen, data.x[rows]))
    pool = Features(x, np.searchsorted((3, 5, 8), data.y[rows]), ["3", "5", "8"], [None]*len(x), [None]*len(x), network, "squish")
    draw,usual,ours = np.random.default_rng(0),0,0
    for _ in range(200):
        rows = draw.choice(len(pool), 100, replace=False)
        part,rest = pool.take(rows),np.setdiff1d(np.arange(len(pool)), rows)
        part._groups = np.arange(len(part)) # no digit is there twice
        strength = choose_strength(part)
        judged,head = out_of_fold(part, strength),fit_head(part, strength)
        true = (head.probabilities(pool.x[rest]).argmax(1)!=pool.y[rest]).mean()
        for z in (1.96, Z):
            error = error_of(judged, z)
            if z==Z: ours += error.low<=true<=error.high
            else: usual += error.low<=true<=error.high
    print(f"pool: {len(pool)} digits 3, 5 and 8; 200 draws of 100: Wilson's interval held {usual/2:.1f} %, ours {ours/2:.1f} %")
    return [judge("share of draws whose interval holds the true error", ours/200, .93, least=True)]

# memory

GROWTH = """import sys, resource; from time import perf_counter
from lessonlib.features import photo_features, feature_network
feature_network()
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1000
before,start = peak(),perf_counter()
photo_features(sys.argv[1], quiet=True)
print(peak()-before, perf_counter()-start)"""

def memory(runs):
    from lessonlib.data import dataset
    from PIL import Image
    scratch,found = Path(tempfile.mkdtemp()),[]
    source = sorted(dataset("bird_or_tree").glob("*/*.jpg"))
    for n in (1000, 5000):
        draw,folder = np.random.default_rng(n),scratch/str(n)
        for label in "ab": (folder/label).mkdir(parents=True)
        for i in range(n):
            im = Image.open(source[i%len(source)]).convert("RGB").resize((300, 300))
            im.rotate(float(draw.random()*20)).save(folder/"ab"[i%2]/f"{i}.jpg")
        env = {**os.environ, "FASTAI_HOME": str(scratch/f"home{n}")}
        (scratch/f"home{n}"/"models").mkdir(parents=True)
        for f in (home()/"models").glob("*"): shutil.copy(f, scratch/f"home{n}"/"models")
        done = subprocess.run([sys.executable, "-c", GROWTH, str(folder)], capture_output=True, text=True, env=env)
        found.append([float(x) for x in done.stdout.split()[-2:]])
        print(f"{n} photos: {found[-1][0]:.0f} MB above the start, {found[-1][1]:.1f} s", flush=True)
    shutil.rmtree(scratch)
    (_,s1),(mb,s5) = found
    return [judge("MB for 5000 photos", mb, 400), judge("time of 5000 / five times that of 1000", s5/s1/5, 1.2)]

# where fine-tuning wins

def digit_photos(folder, judged=400):
    "The digits as a folder for each label, in an order drawn by chance; the first ones are for judging"
    from lessonlib.data import dataset
    from PIL import Image
    data = dataset("mnist")
    rows = np.random.default_rng(0).permutation(len(data.y))
    files = [folder/str(int(data.y[row]))/f"{place}.png" for place,row in enumerate(rows)]
    for file,row in zip(files, rows):
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(data.x[row], np.uint8)).save(file)
    return files[:judged],files[judged:]

def head_and_tuned(folder, held):
    "Mistakes of both ways on the files held back"
    from lessonlib.features import fit_head, photo_features
    from lessonlib.vision import fine_tune, photo_dls, photo_learner, predict_validation
    seen = photo_features(folder, size=64, quiet=True)
    judge = np.array([f in held for f in seen.files])
    head = fit_head(seen.take(~judge)).probabilities(seen.x[judge]).argmax(1)!=seen.y[judge]
    learn = photo_learner(photo_dls(folder, size=64, bs=16, valid=held))
    with learn.no_bar(), learn.no_logging(): fine_tune(learn, 3)
    found = predict_validation(learn)
    return int(head.sum()),int((found.probs.argmax(1)!=found.targs).sum())

def where(runs):
    from lessonlib.judging import error_interval
    from matplotlib import pyplot as plt
    counts,wrong = (100, 300, 1000, 3000),[]
    for n in counts:
        folder = Path(tempfile.mkdtemp())
        held,others = digit_photos(folder)
        for f in others[n:]: f.unlink()
        wrong.append(head_and_tuned(folder, set(held)))
        print(f"{n} digits to learn from: head {wrong[-1][0]}, fine-tuned {wrong[-1][1]} of 400 wrong", flush=True)
        shutil.rmtree(folder)
    fig,ax = plt.subplots(figsize=(6, 2.8), dpi=150, layout="constrained")
    for name,found,shift in zip(("looked once", "fine-tuned, 3 epochs"), zip(*wrong), (.97, 1.03)):
        errors = [error_interval(w, 400) for w in found]
        around = np.array([[100*(e.rate-e.low), 100*(e.high-e.rate)] for e in errors]).T
        ax.errorbar(np.array(counts)*shift, [100*e.rate for e in errors], around, marker="o", capsize=3, label=name)
    ax.set(xscale="log", xlabel="pictures to learn from", ylabel="error, %", ylim=(0, None), xticks=counts, xticklabels=counts)
    ax.minorticks_off(); ax.legend()
    fig.savefig(Path(__file__).parent.parent/"nbs"/"images"/"where_to_tune.png")
    return []

if __name__=="__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", nargs="*", choices=["time", "errors", "strangers", "interval", "memory", "where", []], default=[])
    p.add_argument("--runs", type=int, default=5)
    a,good = p.parse_args(),[]
    for what in a.what or ["time", "strangers", "interval", "memory"]:
        print(f"== {what}", flush=True)
        good += globals()[what](a.runs)
    sys.exit(not all(good))
