"""Kills and interrupts at many moments: of the whole `train` command, of every other command, of cleaning, downloading, writing; exit status 1
if any of them leaves something that is neither old nor new, whole.

    python bench/faults.py --moments 20

Runs the tests of the suite that draw moments from a seed, with more moments than the suite has time for."""
import argparse, os, subprocess, sys

TESTS = ["cli.py -k killed_leaves_the_old or ctrl_c", "files.py -k kill or handles or full_disk", "photos.py -k killed_at_twenty",
         "data.py -k killed", "collect.py -k killed or interrupted", "cleaning.py -k killed", "checkpoints.py -k killed or ctrl_c",
         "kept.py -k full_disk or two_processes"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--moments", type=int, default=20)
    a = p.parse_args()
    env = os.environ | dict(LESSONLIB_MOMENTS=str(a.moments), OMP_NUM_THREADS="1")
    failed = 0
    for test in TESTS:
        file,which = test.split(" -k ")
        run = [sys.executable, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", f"lessonlib/tests/test_{file}", "-k", which]
        print(f"== {test}", flush=True)
        failed += subprocess.run(run, env=env).returncode!=0
    print(f"{len(TESTS)} kinds of work, {a.moments} moments each: {failed} failed")
    return failed>0


if __name__=="__main__": sys.exit(main())
