"""Bundles changed and built by chance, loaded and asked, each in a process that is watched; exit status 1 if anything is found.

    python bench/fuzz_bundles.py --seconds 900 --seed 1

A finding is a crash, an exception other than BundleError, more than 2 s of a processor's time for loading or for an answer,
or more than 500 MB beyond what the process had before. Some are changed real bundles, others are networks that are put together by chance so that
they come near to the limits, or bombs. What is found is kept in a folder, which is named."""
import argparse, json, os, random, resource, shutil, subprocess, sys, tempfile, time
from collections import Counter
from pathlib import Path

import numpy as np
from lessonlib.deploy import BundleError, load_bundle
from lessonlib.tests.test_deploy import add_distance, any_bytes, any_facts, any_part, put

SECONDS,MEGABYTES = 2.,500


class Built:
    "A network that is put together by chance"
    def __init__(self, rng): self.rng,self.nodes,self.weights,self.shape = rng,[],[],[1, 3, 64, 64]
    def constant(self, x, kind=np.int64):
        import onnx
        self.weights.append(onnx.numpy_helper.from_array(np.array(x, kind), f"c{len(self.weights)}"))
        return self.weights[-1].name
    def add(self, op, *more, **how):
        from onnx import helper
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [self.last, *more], [name], **how))
        self.last = name
    def size(self, most): return int(min(most, 2**self.rng.uniform(0, 14)))

def _step(b):
    "One more operation, on four axes"
    rng,(n,c,h,w) = b.rng,b.shape
    op = rng.choice("""Conv Conv Depthwise MaxPool Resize Resize Pad Expand MatMul Unary Unary Unary Transpose Concat
        ReduceMean TopK Binary Slice Double""".split())
    if op in ("Conv", "Depthwise"):
        m,k,s = b.size(512),rng.choice([1, 3, 3, 7, 31]),rng.choice([1, 1, 2])
        groups = 1 if op=="Conv" else c
        m = m if op=="Conv" else c
        if m*(c//groups)*k*k>3e6: return
        kernel = b.constant(np.full((m, c//groups, k, k), .01), np.float32)
        b.add("Conv", kernel, group=groups, strides=[s, s], pads=[k//2]*4, kernel_shape=[k, k])
        b.shape = [n, m, (h-1)//s+1, (w-1)//s+1]
    if op=="MaxPool":
        k = rng.choice([1, 2, 9, 63])
        b.add(rng.choice(["MaxPool", "AveragePool"]), kernel_shape=[k, k], pads=[k//2]*4, strides=[1, 1])
        b.shape = [n, c, h+2*(k//2)-k+1, w+2*(k//2)-k+1]
    if op=="Resize":
        b.shape = [n, c, b.size(9000), b.size(9000)]
        b.add("Resize", "", "", b.constant(b.shape), mode=rng.choice(["linear", "nearest", "linear", "cubic"]))
    if op=="Pad":
        p = b.size(5000)
        b.add("Pad", b.constant([0, 0, p, p, 0, 0, 1, 1]))
        b.shape = [n, c, h+p+1, w+p+1]
    if op=="Expand" and 1 in b.shape:
        b.shape = [b.size(9000) if d==1 and rng.random()<.6 else d for d in b.shape]
        b.add("Expand", b.constant(b.shape))
    _step2(b, op)

def _step2(b, op):
    rng,(n,c,h,w) = b.rng,b.shape
    if op=="MatMul":
        m = b.size(4000)
        if w*m<3e6: b.add("MatMul", b.constant(np.full((w, m), .01), np.float32)); b.shape = [n, c, h, m]
    if op=="Unary": b.add(rng.choice("Relu Exp Erf Gelu Tanh Sqrt Sigmoid Softmax Log Sin Abs HardSwish".split()))
    if op=="Binary": b.add(rng.choice("Add Mul Pow Div Max".split()), b.constant(1.5, np.float32))
    if op=="Double": b.add(rng.choice("Add Mul Pow MatMul".split()[:3]), b.last)
    if op=="Transpose":
        perm = rng.sample(range(4), 4)
        b.add("Transpose", perm=perm); b.shape = [b.shape[i] for i in perm]
    if op=="Concat":
        times,axis = rng.choice([2, 2, 9, 100]),rng.randrange(4)
        b.add("Concat", *[b.last]*(times-1), axis=axis); b.shape[axis] *= times
    if op=="ReduceMean":
        axis = rng.randrange(4)
        b.add(rng.choice("ReduceMean ReduceMax ReduceL2 ReduceProd".split()), b.constant([axis])); b.shape[axis] = 1
    if op=="Slice" and w>2: b.add("Slice", b.constant([1]), b.constant([2**62]), b.constant([3])); b.shape[3] -= 1
    if op=="TopK":
        from onnx import helper
        b.nodes.append(helper.make_node("TopK", [b.last, b.constant([min(2, w)])], [f"n{len(b.nodes)}", f"i{len(b.nodes)}"]))
        b.last = b.nodes[-1].output[0]; b.shape[3] = min(2, w)

def any_network(rng, bundle):
    "A network that is built by chance, ends in two probabilities, and comes near to the limits"
    from onnx import helper
    b = Built(rng)
    b.last = "image"
    b.add("Cast", to=1)
    b.add("Transpose", perm=[0, 3, 1, 2])
    for _ in range(rng.randrange(1, 12)): _step(b)
    b.add("ReduceMean", keepdims=1)
    b.add("Reshape", b.constant([1, 1]))
    b.add("Concat", b.constant([[0.]], np.float32), axis=1)
    b.add("Softmax", axis=1)
    ends = helper.make_tensor_value_info("image", 2, ["batch", "height", "width", 3]),\
        helper.make_tensor_value_info(b.last, 1, ["batch", 2])
    graph = helper.make_graph(b.nodes, "built", [ends[0]], [ends[1]], b.weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    put(bundle, model.SerializeToString())



def tiny(folder, arch, method):
    "A real bundle of a small network, with random weights"
    from lessonlib.data import dataset
    from lessonlib.export import export_bundle
    from lessonlib.vision import photo_dls, photo_learner
    learn = photo_learner(photo_dls(dataset("faces"), size=64, method=method), arch, False)
    return add_distance(export_bundle(learn, folder/f"{arch}-{method}"))


def memory(name):
    with open("/proc/self/status") as f: return next(int(line.split()[1])/1e3 for line in f if line.startswith(name))


def looked_at(bundle, times):
    classifier = load_bundle(bundle)
    times.append(time.process_time())
    return classifier.answer(np.full((40, 60, 3), 99, np.uint8)).words


def child():
    "Load and ask each bundle whose folder is named on standard input"
    for path in sys.stdin:
        open("/proc/self/clear_refs", "w").write("5") # forget the peak of memory
        resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time())+30, resource.RLIM_INFINITY))
        before,times = memory("VmRSS"),[time.process_time()]
        try: said = looked_at(Path(path.strip()), times)
        except BundleError as e: said = f"BundleError: {e}"
        except BaseException as e: said = f"ESCAPED {type(e).__name__}: {e}"
        times.append(time.process_time())
        took = max(b-a for a,b in zip(times, times[1:]))
        print(json.dumps(dict(said=said, seconds=took, mb=memory("VmHWM")-before)), flush=True)


class Watched:
    "A process that loads what it is told, and is replaced when it dies"
    def __init__(self): self.process = None
    def ask(self, path):
        if self.process is None or self.process.poll() is not None:
            self.process = subprocess.Popen([sys.executable, __file__, "--child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, env=os.environ | dict(OMP_NUM_THREADS="1"))
        from threading import Timer
        timer = Timer(600, self.process.kill) # the processor's time is limited in the child
        timer.start()
        self.process.stdin.write(f"{path}\n"); self.process.stdin.flush()
        line = self.process.stdout.readline()
        timer.cancel()
        if line: return json.loads(line)
        return dict(said=f"ESCAPED: the process ended with {self.process.wait()}", seconds=0, mb=0)


def fault(got):
    if got["said"].startswith("ESCAPED"): return got["said"]
    if got["seconds"]>SECONDS: return f"{got['seconds']:.1f} s of a processor: {got['said']}"
    if got["mb"]>MEGABYTES: return f"{got['mb']:.0f} MB: {got['said']}"


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--child", action="store_true")
    a = p.parse_args()
    if a.child: return child()
    scratch,kept = Path(tempfile.mkdtemp()),Path(tempfile.mkdtemp(prefix="found-"))
    homes = [tiny(scratch, *how) for how in (("test_resnet", "crop"), ("test_vit", "squish"), ("test_convnext", "pad"))]
    rng,watched,end = random.Random(a.seed),Watched(),time.time()+a.seconds
    kinds,said,faults,most = Counter(),Counter(),[],Counter()
    while time.time()<end:
        how = rng.choice([any_bytes, any_facts, any_part, any_part, any_network, any_network, any_network])
        case = rng.randrange(2**40)
        bundle = shutil.copytree(rng.choice(homes), scratch/"case")
        how(random.Random(case), bundle)
        got = watched.ask(bundle)
        kinds[how.__name__] += 1
        said["refused" if got["said"].startswith("BundleError") else "answered"] += 1
        for what in "seconds", "mb": most[how.__name__, what] = max(most[how.__name__, what], got[what])
        found = fault(got)
        if found:
            faults.append(found)
            shutil.copytree(bundle, kept/str(len(faults)))
            print(f"FOUND {kept/str(len(faults))} ({how.__name__}, {case}): {found[:300]}", flush=True)
        shutil.rmtree(bundle)
    print(f"{sum(kinds.values())} bundles in {a.seconds:.0f} s ({dict(kinds)}): {dict(said)}; at most "
          + ", ".join(f"{how} {what} {value:.2f}" for (how,what),value in sorted(most.items())) + f"; {len(faults)} faults")
    shutil.rmtree(scratch)
    return len(faults)>0


if __name__=="__main__": sys.exit(main())
