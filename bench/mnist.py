"""Measure what 04_mnist promises: reading in at most half the time of one by one, and accuracies over ten seeds.

    python bench/mnist.py            # the time of reading, exit status 1 above half
    python bench/mnist.py accuracy   # also ten seeds of each training, with fastai's Learner as well (minutes)
    python bench/mnist.py resnet     # also four seeds of 04b_by_hand's resnet18: fewer than 17 of 2038 wrong

Needs mnist_sample in FASTAI_HOME. Wall time, medians of five, the two ways in turn; the files are in the system's
cache, the kept tensor is not used. Trainings use one thread, resnet18's
all of them: with fewer it rounds otherwise, and ends elsewhere."""
import sys
from functools import partial
from statistics import mean, median, stdev
from time import perf_counter
import torch
from fastai.callback import schedule
from fastai.callback.progress import ProgressCallback
from fastai.learner import DataLoaders, Learner
from fastai.optimizer import SGD as FastaiSGD
from fastai.torch_core import tensor
from PIL import Image
from torchvision.models import resnet18
from lessonlib.data import dataset
from lessonlib.digits import keep_digits, load_digits, load_digits_folder
from lessonlib.mnist import (Minibatches, batch_accuracy, mnist_loss, pixel_rows, simple_net, train_epoch,
                             validate_epoch)
from lessonlib.sgd import SGD

LIMIT,WORKERS = .5,2

def one_by_one(folder):
    "The published way: open each file with Pillow, make it a tensor, stack"
    files = [f for label in sorted(folder.iterdir()) for f in sorted(label.iterdir())]
    return torch.stack([tensor(Image.open(f)) for f in files])

def seconds(read, folder):
    start = perf_counter()
    x = read(folder)
    return perf_counter()-start, x

def with_threads(folder): return load_digits_folder(folder, WORKERS, cache=False).x
def from_kept(folder): return load_digits_folder(folder).x

def reading(folder):
    pairs = [(seconds(one_by_one, folder), seconds(with_threads, folder)) for _ in range(5)]
    assert all(torch.equal(a, b) for (_,a),(_,b) in pairs)
    slow,fast = [median(p[i][0] for p in pairs) for i in (0, 1)]
    load_digits_folder(folder)
    kept = median(seconds(from_kept, folder)[0] for _ in range(5))
    print(f"reading {len(pairs[0][0][1])} files: one by one {slow:.3f} s, {WORKERS} threads {fast:.3f} s, "
          f"ratio {fast/slow:.2f} (limit {LIMIT}); from the kept tensor {kept:.3f} s")
    return fast/slow <= LIMIT

def fit_ours(model, batches, valid, epochs, lr):
    opt = SGD(model.parameters(), lr)
    for _ in range(epochs): train_epoch(model, batches, mnist_loss, opt)
    return validate_epoch(model, valid)

def fit_fastai(model, batches, valid, epochs, lr):
    learn = Learner(DataLoaders(batches, valid), model, mnist_loss, FastaiSGD, metrics=batch_accuracy)
    with learn.no_bar(), learn.no_logging(): learn.fit(epochs, lr)
    return learn.recorder.values[-1][-1]

def linear(): return torch.nn.Linear(784, 1)

ROWS = [("nn.Linear, batches of 256", linear, 20, 1., dict(bs=256), .9785),
        ("784-30-1, batches of 256", simple_net, 40, .1, dict(bs=256), None),
        ("784-30-1, batches of 256 in the order of the files", simple_net, 40, .1,
         dict(bs=256, shuffle=False), None),
        ("784-30-1, batches of 64", simple_net, 40, .1, dict(bs=64), .9828)]

def accuracy():
    "Ten seeds, each of its own start and its own shuffles"
    train,valid = [keep_digits(d, "37") for d in load_digits("mnist_sample")]
    x,vx = [pixel_rows(d.x) for d in (train, valid)]
    y,vy = [(d.y==0).long()[:,None] for d in (train, valid)]
    held = Minibatches(vx, vy, 256, shuffle=False)
    good = True
    for name,make,epochs,lr,how,floor in ROWS:
        for fit in fit_ours, fit_fastai:
            accs = []
            for seed in range(10):
                torch.manual_seed(seed)
                accs.append(fit(make(), Minibatches(x, y, seed=seed, **how), held, epochs, lr))
            print(f"{name}, {fit.__name__[4:]}: {mean(accs):.4f} ± {stdev(accs):.4f}"
                  + (f" (floor {floor})" if floor else ""), flush=True)
            if floor and mean(accs)<floor: good = False
    return good

def resnet():
    "One epoch of the network of 04b_by_hand, from four seeds"
    train,valid = [keep_digits(d, "37") for d in load_digits("mnist_sample")]
    x,vx = [pixel_rows(d.x).view(-1, 1, 28, 28)[...,4:-4,4:-4].contiguous() for d in (train, valid)]
    held = Minibatches(vx, valid.y, 128, shuffle=False)
    wrong = []
    for seed in range(4):
        torch.manual_seed(seed)
        deep = resnet18(num_classes=2)
        deep.conv1 = torch.nn.Conv2d(1, 64, 7, stride=2, padding=3, bias=False)
        learn = Learner(DataLoaders(Minibatches(x, train.y, 64), held), deep, torch.nn.functional.cross_entropy,
                        partial(FastaiSGD, mom=.9), metrics=batch_accuracy)
        with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(1, .05)
        wrong.append(round((1-learn.recorder.values[-1][-1])*len(vx)))
    print(f"resnet18, one epoch: {wrong} of {len(vx)} wrong (published 8)", flush=True)
    return max(wrong) <= 16

def main():
    cores = torch.get_num_threads()
    torch.set_num_threads(1)
    good = reading(dataset("mnist_sample")/"train")
    if "accuracy" in sys.argv[1:]: good &= accuracy()
    if "resnet" in sys.argv[1:]:
        torch.set_num_threads(cores)
        good &= resnet()
    return int(not good)

if __name__=="__main__": sys.exit(main())
