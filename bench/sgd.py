"""Time `fit` against the bare torch loop that does the same arithmetic; exit status 1 above 1.2 times.

10 000 steps of mean absolute error on the noisy parabola, five runs of each in turn, medians of
processor time (one thread), which other programs on the machine disturb less than the clock on the wall.
Also that a matrix product by three loops takes more than 100 times as long as `@`, as 03b says."""
import sys
from statistics import median
from time import process_time
import torch
from lessonlib.sgd import SGD, fit, mae, noisy_quad, quad

STEPS,LIMIT,PRODUCT = 10_000,1.2,100

def ours(x, y):
    abc = torch.tensor([1.1,1.1,1.1]).requires_grad_()
    return fit(lambda x: quad(*abc, x), x, y, SGD([abc], 0.01), loss_func=mae, steps=STEPS)

def bare(x, y):
    abc,losses = torch.tensor([1.1,1.1,1.1]).requires_grad_(),[]
    for _ in range(STEPS):
        abc.grad = None
        a,b,c = abc
        loss = abs(a*x**2 + b*x + c - y).mean()
        loss.backward()
        abc.data.sub_(abc.grad, alpha=0.01)
        losses.append(loss.item())
    return losses

def seconds(loop, x, y):
    start = process_time()
    losses = loop(x, y)
    return process_time()-start, losses

def by_loops(a, b):
    out = torch.zeros(len(a), b.shape[1], dtype=a.dtype)
    for i in range(len(a)):
        for j in range(b.shape[1]):
            for k in range(a.shape[1]): out[i,j] += a[i,k]*b[k,j]
    return out

def at_once(a, b): return a@b

def product():
    "How many times as long the loops take, for 712 rows of 10 columns"
    a,b = torch.rand(712, 10).double(),torch.rand(10, 2).double()
    assert torch.allclose(by_loops(a, b), at_once(a, b))
    loops,once = [min(seconds(way, a, b)[0] for _ in range(3)) for way in (by_loops, at_once)]
    print(f"matrix product by loops: {loops/max(once, 1e-7):.0f} times as long as @ (limit {PRODUCT})")
    return loops > PRODUCT*once

def main():
    torch.set_num_threads(1)
    slower = product()
    x,y = noisy_quad()
    pairs = [(seconds(bare, x, y), seconds(ours, x, y)) for _ in range(5)]
    gap = max(abs(a-b) for (_,one),(_,two) in pairs for a,b in zip(one, two))
    loop,fitted = [median(p[i][0] for p in pairs) for i in (0, 1)]
    print(f"bare loop {loop:.3f} s, fit {fitted:.3f} s, ratio {fitted/loop:.3f} (limit {LIMIT}); "
          f"losses differ by at most {gap:.1e}")
    return int(fitted/loop > LIMIT or gap > 1e-5 or not slower)

if __name__=="__main__": sys.exit(main())
