"""Time ten image models here, by PyTorch and by ONNX Runtime, beside timm's published order, and compare networks on real photos.

    python bench/models.py                  # ten models; exit status 1 if PyTorch's ten took more than 2 minutes
    python bench/models.py photos           # lite0, lite1, lite2 on all pets and on birds and trees (minutes)

One thread, since two that wait for each other on a busy machine measure the others. Times are of this machine, as busy as it is; only ratios taken in one run mean anything."""
import sys
import torch
from time import perf_counter
from scipy.stats import spearmanr
from lessonlib.data import dataset
from lessonlib.measure import benchmark, compare_models, comparison_lines, head_to_head, with_times
from lessonlib.models import best_of, results

TEN = """mobilenetv3_large_100 tf_efficientnet_lite0 levit_128 resnet18 efficientnet_b0 regnety_008 resnet50 convnext_tiny
vit_small_patch16_224 swin_tiny_patch4_window7_224""".split()

torch.set_num_threads(1)

def breed(file): return file.name.rsplit("_", 1)[0]

def ten():
    "Whether ten models were measured within two minutes"
    start = perf_counter()
    here = benchmark(TEN)
    took = perf_counter()-start
    print(here.round(1).to_string(index=False))
    beside = with_times(results(), here).set_index("arch").ms
    theirs = best_of(results()).set_index("arch").ms.loc[beside.index]
    print(f"order here and published: rank correlation {spearmanr(beside, theirs)[0]:.2f}, {len(beside)} models")
    print(f"{len(TEN)} models by PyTorch in {took:.0f} s, 120 s allowed: {'holds' if took<=120 else 'MISSED'}", flush=True)
    start = perf_counter()
    onnx = benchmark(TEN, engine="onnx").set_index("arch").ms
    print((here.set_index("arch").ms/onnx).round(2).rename("PyTorch / ONNX Runtime").to_string())
    print(f"by ONNX Runtime in {perf_counter()-start:.0f} s, of which most is writing down", flush=True)
    return took<=120

def photos():
    "Errors of three networks on two sets"
    for name,folder,label in (("pets", dataset("oxford-iiit-pet")/"images", breed), ("birds", dataset("bird_or_tree"), None)):
        table,judged = compare_models(folder, label=label, quiet=True)
        print(name, *comparison_lines(table, judged), sep="\n")
        print(f"lite0 against the largest, on single photos: {head_to_head(judged[0].answers, judged[-1].answers)}", flush=True)

if sys.argv[1:]==["photos"]: photos()
elif not ten(): sys.exit(1)
