"""The training loop against fastai's, against the bare loop, and against the clock; exit status 1 if a limit is missed.

    python bench/training.py small      784-30-1 at the sizes of MNIST_SAMPLE, an epoch of minibatches of 256 with validation, by two
                                        threads and by one, its first product turned round (lesson 5c) where that is faster
    python bench/training.py digits     all of MNIST to 99 %, against one epoch of fastai's Learner
    python bench/training.py best       three to five minutes of training, three seeds
    python bench/training.py choose     what recipes reach on 10 000 digits of the training set, where these were chosen

`small` and `digits` run each way five times in turn and compare medians of the clock on the wall. `digits` and `best` need the set
mnist_png. Without arguments: small, then digits. Threads: all cores, or `--threads`; `small` takes two, and then one.
On a GPU, `digits` also asks for 99 % within a second."""
import argparse, platform, sys
from functools import partial
from statistics import mean, median
from time import perf_counter
import torch, torch.nn.functional as F
from torch import nn
from lessonlib.digits import load_digits
from lessonlib.fast_digits import QUICK, TurnedLinear, jitter, normal_digits, quick_net
from lessonlib.mnist import Minibatches, batch_accuracy, digit_net, simple_net
from lessonlib.sgd import SGD
from lessonlib.training import Trainer, best_device

RUNS = 5
BEST = dict(net=partial(digit_net, (32, 64, 128), 128, .3), epochs=17, bs=128, lr=.01, smoothing=.1,
            opt_func=partial(torch.optim.AdamW, fused=True, weight_decay=.02))


def in_turn(ways, before=lambda: None):
    "Seconds of each way: one run to warm up, then `RUNS` runs of each in turn"
    times = {name: [] for name in ways}
    for i in range(RUNS+1):
        for name,way in ways.items():
            run = way()
            start = perf_counter()
            run()
            if i: times[name].append(perf_counter()-start)
    return {name: median(t) for name,t in times.items()}

def judge(what, ratio, limit, least=False):
    good = ratio>=limit if least else ratio<=limit
    print(f"  {'holds' if good else 'MISSED'}: {what} {ratio:.3g} (limit {'at least' if least else 'at most'} {limit})", flush=True)
    return good

# 784-30-1

def sample():
    "Threes and sevens in the numbers of MNIST_SAMPLE; the pixels do not matter for the time"
    draw = torch.Generator().manual_seed(0)
    def rows(n): return torch.rand(n, 784, generator=draw),torch.randint(2, (n, 1), generator=draw).float()
    return rows(12396),rows(2038)

def loss_func(preds, yb): return torch.where(yb==1, 1-(p := preds.sigmoid()), p).mean()
def accuracy(preds, yb): return ((preds>0)==yb).float().mean()

def ours(train, valid, net=simple_net):
    data = Minibatches(*train, 256),Minibatches(*valid, 256, shuffle=False)
    t = Trainer(net(), data, loss_func, SGD, metrics=[accuracy], device="cpu", quiet=True)
    return lambda: t.fit(1, .1, None)

def turned(train, valid):
    "Our loop, and the same net with its first product the other way round"
    return ours(train, valid, lambda: nn.Sequential(TurnedLinear(784, 30), nn.ReLU(), nn.Linear(30, 1)))

def fastai(train, valid, bs=256):
    import fastai.callback.progress
    from fastai.basics import SGD as FastaiSGD, DataLoader, DataLoaders, Learner
    dls = DataLoaders(DataLoader(list(zip(*train)), batch_size=bs, shuffle=True), DataLoader(list(zip(*valid)), batch_size=bs))
    learn = Learner(dls, simple_net(), loss_func, opt_func=FastaiSGD, metrics=accuracy)
    def run():
        with learn.no_bar(), learn.no_logging(): learn.fit(1, .1)
    return run

def bare(train, valid, bs=256):
    "The loop that one writes by hand, with the same measures"
    (x,y),(xv,yv),model = train,valid,simple_net()
    opt = SGD(model.parameters(), .1)
    def run():
        losses,sums = [],torch.zeros(2)
        for rows in torch.randperm(len(x)).split(bs):
            loss = loss_func(model(x[rows]), y[rows])
            losses.append(loss.item())
            loss.backward()
            opt.step()
            opt.zero_grad()
        with torch.no_grad():
            for xb,yb in zip(xv.split(bs), yv.split(bs)):
                preds = model(xb)
                sums += torch.stack([loss_func(preds, yb), accuracy(preds, yb)])*len(xb)
        return losses,sums/len(xv)
    return run

def products(train, valid, bs=256):
    "Two matrix products a minibatch: inputs times weights, errors times inputs; one to validate"
    weights,errors = torch.rand(784, 30),torch.rand(bs, 30)
    def run():
        for xb in train[0].split(bs): xb@weights; errors[:len(xb)].T@xb
        for xb in valid[0].split(bs): xb@weights
    return run

def small():
    data,good = sample(),[]
    ways = dict(ours=ours, turned=turned, fastai=fastai, bare=bare, products=products)
    made = {name: way(*data) for name,way in ways.items()}
    for threads,least in ((2, 3.5), (1, 3)):
        torch.set_num_threads(threads)
        t = in_turn({name: (lambda r=run: r) for name,run in made.items()})
        ours_is = min("ours", "turned", key=t.get)
        print(f"784-30-1, threads {threads}:", ", ".join(f"{name} {1000*s:.1f} ms" for name,s in t.items()),
              f"; fastai / ours {t['fastai']/t['ours']:.3g}, / turned {t['fastai']/t['turned']:.3g}")
        good += [judge(f"fastai / {ours_is}", t["fastai"]/t[ours_is], least, least=True),
                 judge(f"{ours_is} / bare loop", t[ours_is]/t["bare"], 1.1),
                 judge(f"{ours_is} / two products", t[ours_is]/t["products"], 2)]
    return good

# all of MNIST

def train(data, seed, test, net=digit_net, epochs=1, bs=64, lr=.01, rows=None, **options):
    "Seconds of training, and the accuracy on the test digits, which are looked at when it is over"
    torch.manual_seed(seed)
    some = torch.randperm(len(data[0]))[:rows]
    t = Trainer(net(), Minibatches(data[0][some], data[1][some], bs, seed=seed), channels_last=True, quiet=True,
                metrics=[batch_accuracy], **options)
    history = t.fit(epochs, lr)
    t.valid_dl = Minibatches(*test, 1000, shuffle=False).to(t.device)
    return sum(history.seconds),t.validate()["batch_accuracy"]

def fastai_digits(data, bs=64):
    "Seconds of one epoch of lesson 4's network, in minibatches of fastai's own size"
    import fastai.callback.progress
    from fastai.basics import Adam, DataLoader, DataLoaders, Learner
    dl = DataLoader(list(zip(*data)), batch_size=bs, shuffle=True)
    learn = Learner(DataLoaders(dl, []), digit_net(), F.cross_entropy, opt_func=Adam)
    learn.recorder.train_metrics = False
    start = perf_counter()
    with learn.no_bar(), learn.no_logging(): learn.fit(1, .01)
    return perf_counter()-start

def digits():
    data,test = map(normal_digits, load_digits("mnist_png"))
    found = [(train(data, seed, test, quick_net, **QUICK), fastai_digits(data)) for seed in range(5)]
    (seconds,right),theirs = zip(*(f[0] for f in found)),[f[1] for f in found]
    print("MNIST:", ", ".join(f"{s:.1f} s {100*a:.2f} %" for s,a in zip(seconds, right)),
          "; fastai's epoch", ", ".join(f"{s:.1f} s" for s in theirs))
    good = [judge("mean accuracy", mean(right), .99, least=True),
            judge("ours to 99 % / fastai's one epoch", median(seconds)/median(theirs), .3)]
    if best_device().type=="cuda": good.append(judge("seconds on a GPU", median(seconds), 1))
    return good

def best():
    data,test = map(normal_digits, load_digits("mnist_png"))
    found = [train(data, seed, test, augment=jitter, **BEST) for seed in range(3)]
    print("best:", ", ".join(f"{s:.0f} s {100*a:.2f} %" for s,a in found))
    return [judge("mean accuracy", mean(a for _,a in found), .996, least=True),
            judge("seconds", median(s for s,_ in found), 200)]

def choose():
    x,y = normal_digits(load_digits("mnist_png")[0])
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    fit,held = [(x[rows], y[rows]) for rows in (order[:50_000], order[50_000:])]
    for net,rows in ((digit_net, 36_000), (quick_net, 36_000), (quick_net, 50_000)):
        for bs,lr in ((64, .015), (128, .03)):
            found = [train(fit, seed, held, net, bs=bs, lr=lr, rows=rows, smoothing=.1) for seed in range(3)]
            print(f"{net.__name__}, {rows} digits, bs {bs}, lr {lr}:", ", ".join(f"{s:.1f} s {100*a:.2f} %" for s,a in found), flush=True)
    return [True]

if __name__=="__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", nargs="*", choices=["small", "digits", "best", "choose", []], default=[])
    p.add_argument("--threads", type=int)
    a = p.parse_args()
    good,cores = [],torch.get_num_threads()
    for what in a.what or ["small", "digits"]:
        torch.set_num_threads(a.threads or cores)
        print(f"== {what}: {torch.get_num_threads()} threads, {best_device()}, torch {torch.__version__}, {platform.machine()}")
        good += globals()[what]()
    sys.exit(not all(good))
