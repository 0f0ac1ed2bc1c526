"""Bundles and photos from a stranger, mutated and built by chance, for as long as one likes; exit status 1 if anything is found.

    python bench/fuzz.py --seconds 1800 --seed 1

Turns of `fuzz_photos.py` and `fuzz_bundles.py`, one after the other, each turn with a seed of its own; the first turn also reads every
bomb, every odd and every honest photo, and the link matrix. Both count a processor's time, so a busy machine finds nothing that is not there."""
import argparse, subprocess, sys, time
from pathlib import Path

HERE,TURN = Path(__file__).parent,300


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--seconds", type=float, default=60)
    p.add_argument("--seed", type=int, default=0)
    a = p.parse_args()
    end,turn,faults = time.monotonic()+a.seconds,0,0
    while (left := end-time.monotonic())>1:
        each = max(5, min(TURN, left/2))
        for script in "fuzz_photos.py", "fuzz_bundles.py":
            more = ["--quick"] if script=="fuzz_photos.py" and (turn or a.seconds<300) else []
            run = [sys.executable, HERE/script, "--seconds", str(each), "--seed", str(a.seed+turn), *more]
            faults += subprocess.run(run).returncode!=0
        turn += 1
    print(f"{turn} turns of photos and bundles in {a.seconds:.0f} s, seeds {a.seed} to {a.seed+turn-1}: "
          f"{faults} turns with findings", flush=True)
    return faults>0


if __name__=="__main__": sys.exit(main())
