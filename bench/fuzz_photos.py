"""Can a stranger's photo crash, hang or swell us? Bombs, honest oddities, mutated photos and the link matrix, each read in a child process.

    python bench/fuzz_photos.py [--seconds 60 | --cases 1000] [--seed 0] [--keep FOLDER]

Fails on a crash, on more than 2 s of computing or 500 MB for one photo, on any exception but PhotoError and OSError, on a bomb that
is not refused, and on an honest photo that is. A finding is kept in --keep, to be read again by `--read FILE`.
"""
import io, json, os, resource, struct, subprocess, sys, tempfile, time, zlib
from argparse import ArgumentParser
from pathlib import Path
from random import Random

SECONDS,MEGABYTES = 2,500


# --- what the child does with one photo

def peak():
    "Most memory since the last reset, in megabytes"
    line = next(l for l in open("/proc/self/status") if l.startswith("VmHWM"))
    return int(line.split()[1])/1000

def look(file):
    "Read a photo in all the ways that the library does"
    from lessonlib.photo import METHODS, foreign_format, open_photo, photo_kind, square
    kept = []
    def whole(file): kept.append(open_photo(file))
    for act in (foreign_format, photo_kind, lambda f: open_photo(f, max_side=400),
                whole, lambda f: [square(kept[0], 96, m) for m in METHODS if kept]):
        Path("/proc/self/clear_refs").write_text("5")
        start,said = time.process_time(),"read"
        try: act(file)
        except Exception as e:
            known = type(e).__name__=="PhotoError" or isinstance(e, OSError)
            said = f"{'refused' if known else 'ESCAPED'} {type(e).__name__}: {e}"
        yield said,time.process_time()-start,peak()

def child(files):
    import warnings
    import lessonlib.photo
    from PIL import AvifImagePlugin, BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin
    warnings.simplefilter("ignore")
    sys.stderr = open(os.devnull, "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    for file in files:
        print(json.dumps(["begin", file]), flush=True)
        print(json.dumps([file, list(look(file))]), flush=True)

if __name__=="__main__" and sys.argv[1:2]==["--child"]: sys.exit(child(sys.argv[2:]))


import numpy as np
from PIL import Image, ImageCms, ImageFile
ImageFile.MAXBLOCK = 200_000_000 # room to write photos of grain
from lessonlib.tests.test_structure import (
    BOMBS, chunk, comment, exif_block, gif, grey_tiff, picture, png, progressive, saved, segment, small, tiff, with_segments)


# --- honest photos, as odd as cameras and editors write them

def notes(value=6):
    exif = Image.Exif()
    exif[0x0112],exif[0x010F],exif[0x927C] = value,"Camera",bytes(20_000)
    return exif

def profile(): return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

def gain_map(): return [segment(0xE2, b"MPF\0"+bytes(80)), segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0"+b"<x/>"*9000)]

def interlaced():
    "A PNG in seven passes: its lines are put together by hand, since Pillow writes none"
    x,lines = np.asarray(picture(48, 40)),b""
    for top,left,down,right in ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)):
        lines += b"".join(b"\0"+line.tobytes() for line in x[top::down, left::right])
    about = struct.pack(">IIBBBBB", 48, 40, 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n"+chunk(b"IHDR", about)+chunk(b"IDAT", zlib.compress(lines))+chunk(b"IEND")

def tiles(side=64):
    "A grey TIFF of four tiles, packed each on its own"
    x = np.asarray(picture(2*side, 2*side, "L"))
    parts = [zlib.compress(x[i:i+side, j:j+side].tobytes()) for i in (0, side) for j in (0, side)]
    places = [8+sum(map(len, parts[:i])) for i in range(4)]
    lists = 8+sum(map(len, parts))
    data = b"".join(parts)+struct.pack("<8I", *places, *map(len, parts))
    return tiff([(256, 4, 1, 2*side), (257, 4, 1, 2*side), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1),
                 (322, 4, 1, side), (323, 4, 1, side), (324, 4, 4, lists), (325, 4, 4, lists+16)], data)

def deep(mode): return Image.fromarray(np.asarray(picture(mode="L")).astype("uint16")*257)

def rgb16():
    "A PNG of 16 bits a colour"
    x = np.asarray(picture(64, 48)).astype(">u2")*257
    data = zlib.compress(b"".join(b"\0"+line.tobytes() for line in x))
    return b"\x89PNG\r\n\x1a\n"+chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 48, 16, 2, 0, 0, 0))+chunk(b"IDAT", data)+chunk(b"IEND")

photo = picture(400, 300)
many = [picture(200, 150, seed=i) for i in range(12)]
def grainy(width, height, most=9):
    "A photo that a JPEG can hardly make smaller"
    whole,rng = picture(800, 600).resize((width, height)),np.random.default_rng(0)
    for top in range(0, height, 500):
        band = np.asarray(whole.crop((0, top, width, min(top+500, height)))).astype("int16")
        band += rng.integers(-most, most+1, band.shape, dtype="int16")
        whole.paste(Image.fromarray(band.clip(0, 255).astype("uint8")), (0, top))
    return whole

HONEST = {
    "JPEG": lambda: saved(photo, "JPEG"), "progressive, 10 scans": lambda: saved(photo, "JPEG", progressive=True),
    "progressive, 14 scans": lambda: saved(photo, "JPEG", progressive=True, keep_rgb=True),
    "progressive, 18 scans": lambda: saved(photo.convert("CMYK"), "JPEG", progressive=True),
    "progressive, 20 scans, 48 million pixels": lambda: progressive(8000, 6000, 20, 3, finer=1),
    "progressive 4:4:4 of 45 million pixels": lambda: saved(picture(800, 545).resize((8256, 5504)), "JPEG", progressive=True, subsampling=0),
    "phone, 64 million pixels": lambda: saved(picture(800, 600).resize((9248, 6936)), "JPEG", exif=notes()),
    "phone, 200 million pixels in 60 MB": lambda: saved(grainy(16_320, 12_240), "JPEG", exif=notes(), quality=92),
    "25 million pixels in 60 MB": lambda: saved(grainy(5000, 5000, 255), "JPEG", quality=95, subsampling=0),
    "phone, 200 million pixels": lambda: saved(picture(800, 600).resize((16_320, 12_240)), "JPEG", exif=notes(), quality=70),
    "EXIF and profile": lambda: saved(photo, "JPEG", exif=notes(), icc_profile=profile()),
    "a profile of a megabyte": lambda: saved(photo, "JPEG", icc_profile=profile()+bytes(10**6)),
    "notes of an editor, 18 MB": lambda: with_segments(saved(photo, "JPEG"),
        *(segment(0xED, b"Photoshop 3.0\0"+bytes(65_000)) for _ in range(280))),
    "1500 segments": lambda: with_segments(saved(photo, "JPEG"), *(segment(0xE4, bytes(500)) for _ in range(1500))),
    "padding between segments": lambda: with_segments(saved(photo, "JPEG"), b"\xff"*4000),
    "MPO": lambda: saved(photo, "MPO", save_all=True, append_images=[photo.rotate(180)]),
    "gain map": lambda: with_segments(saved(photo, "JPEG"), *gain_map()),
    "restart marks": lambda: saved(photo, "JPEG", restart_marker_blocks=1), "grey JPEG": lambda: saved(photo.convert("L"), "JPEG"),
    "four inks": lambda: saved(photo.convert("CMYK"), "JPEG", exif=notes(3)),
    "palette": lambda: saved(photo.quantize(64), "PNG", transparency=0), "interlaced": interlaced, "16 bits a colour": rgb16,
    "16 bits": lambda: saved(deep("L"), "PNG"), "16 bits TIFF": lambda: saved(deep("L"), "TIFF"), "alpha": lambda: saved(photo.convert("RGBA"), "PNG"),
    "PNG in parts of 1 KB": lambda: png(64, 64, 2, after=chunk(b"tEXt", b"key\0value")*2000),
    "PNG of 50 million pixels with alpha": lambda: png(8000, 6200, 6), "PNG of 50 million deep pixels": lambda: png(8000, 6200, 0, 16),
    "panorama 10:1": lambda: saved(picture(800, 80).resize((20_000, 2000)), "JPEG"), "screenshot 30:1": lambda: png(1080, 30_000, 2),
    "TIFF of pages": lambda: saved(many[0], "TIFF", save_all=True, append_images=many[1:], compression="tiff_lzw"),
    "TIFF in strips": lambda: saved(photo, "TIFF", compression="tiff_adobe_deflate", strip_size=2000), "TIFF in tiles": tiles,
    "TIFF of one line a strip": lambda: saved(photo, "TIFF", strip_size=1), "TIFF of fax": lambda: saved(photo.convert("1"), "TIFF", compression="group4"),
    "TIFF with JPEG inside": lambda: saved(photo, "TIFF", compression="jpeg"), "TIFF of reals": lambda: saved(photo.convert("F"), "TIFF"),
    "TIFF of inks": lambda: saved(photo.convert("CMYK"), "TIFF"), "big-endian": lambda: saved(Image.new("I;16B", (64, 48), 99), "TIFF"),
    "GIF film": lambda: saved(many[0], "GIF", save_all=True, append_images=many[1:], comment=b"c"*3000, transparency=0),
    "WebP film": lambda: saved(many[0], "WEBP", save_all=True, append_images=many[1:]), "WebP with EXIF": lambda: saved(photo, "WEBP", exif=notes()),
    "WebP of 24 million pixels": lambda: saved(picture(600, 400).resize((6000, 4000)), "WEBP", method=0, quality=50),
    "AVIF": lambda: saved(photo, "AVIF", exif=notes(), speed=10), "AVIF film": lambda: saved(many[0], "AVIF", save_all=True, append_images=many[1:4], speed=10),
    "AVIF of 24 million pixels": lambda: saved(picture(600, 400).resize((6000, 4000)), "AVIF", speed=10),
    "moving PNG": lambda: saved(many[0], "PNG", save_all=True, append_images=many[1:]),
    "BMP": lambda: saved(photo, "BMP"), "BMP of a palette": lambda: saved(photo.quantize(16), "BMP")}


# --- bombs that no word of the structure tells: they may be read, but not dearly

def odd_profile(steps):
    "A colour profile whose tag wants so many steps for each pixel"
    matrix = b"matf"+bytes(4)+struct.pack(">HH", 3, 3)+struct.pack(">12f", 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)
    table = struct.pack(">II", 16+8*steps, len(matrix))*steps
    element = b"mpet"+bytes(4)+struct.pack(">HHI", 3, 3, steps)+table+matrix
    plain = profile()
    n = int.from_bytes(plain[128:132], "big")
    tags = [struct.unpack_from(">4sII", plain, 132+12*i) for i in range(n)]
    head = b"".join(struct.pack(">4sII", name, place+12, size) for name,place,size in tags)
    body = plain[132+12*n:]+bytes(-len(plain)%4)
    whole = plain[:128]+struct.pack(">I", n+1)+head+struct.pack(">4sII", b"D2B0", 144+12*n+len(body), len(element))+body+element
    return struct.pack(">I", len(whole))+whole[4:8]+bytes([4, 0x40])+whole[10:]

ODD = {
    "1 × 50 million pixels": lambda: png(1, 50_000_000), "65000 × 700 pixels": lambda: png(65_000, 700),
    "profile with 100 000 steps": lambda: saved(picture(1200, 900), "PNG", icc_profile=odd_profile(100_000)),
    "EXIF of gigabytes in a PNG": lambda: png(8, 8, before=chunk(b"eXIf", exif_block(65_000, 4_000_000))),
    "EXIF of gigabytes in a WebP": lambda: saved(small, "WEBP", exif=exif_block(65_000, 4_000_000)),
    "a row of 255": lambda: (lambda c: c[:-2]+b"\xff"*20_000_000+b"\0"+c[-2:])(saved(small, "JPEG")),
    "short rows of 255, 74 MB": lambda: (lambda c: c[:-90]+(b"\xff"*99_000+b"\0")*740+c[-90:])(saved(picture(4000, 3000), "JPEG")),
    "progressive, of 24 MB": lambda: saved(grainy(4100, 4000, 255), "JPEG", quality=90, subsampling=0, progressive=True),
    "90 fine scans": lambda: progressive(4000, 4000, 90, finer=1), "100 scans over little": lambda: progressive(3000, 3000, 100),
    "250 million pixels": lambda: progressive(15_800, 15_800, 1).replace(b"\xff\xc2", b"\xff\xc0"),
    "65 000 strips": lambda: grey_tiff(16, 65_000, (273, 4, 65_000, 8), (278, 4, 1, 1), (279, 4, 65_000, 8), data=struct.pack("<I", 8)*65_000),
    "a strip of 196 MB": lambda: grey_tiff(14_000, 3500, (259, 3, 1, 8), (277, 3, 1, 4), (273, 4, 1, 8), (279, 4, 1, 64)),
    "99 000 chunks": lambda: png(8, 8, before=chunk(b"abCd")*99_000), "99 000 parts": lambda: png(8, 8, after=chunk(b"IDAT")*99_000),
    "text that swells": lambda: png(8, 8, before=chunk(b"zTXt", b"k\0\0"+zlib.compress(bytes(1_000_000)))*70),
    "99 000 empty segments": lambda: with_segments(saved(small, "JPEG"), segment(0xFE)*99_000),
    "comment of half a megabyte": lambda: gif(before=comment(500_000)), "99 000 parts of a GIF": lambda: gif(inside=b"\2"+b"\1\0"*49_000+b"\0"),
    "runs to the limit": lambda: __import__("lessonlib.tests.test_structure", fromlist=["x"]).run_lengths(b"\1\0"*990_000, side=3160),
    "half bytes to the limit": lambda: __import__("lessonlib.tests.test_structure", fromlist=["x"]).run_lengths(b"\xfe\x12"*42_000, 2, side=3160)}


def read_in_child(files, patience):
    "What became of each file: a list of (said, seconds, megabytes), or how the child ended"
    def limits():
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (patience*len(files)+20,)*2)
    run = [sys.executable, __file__, "--child", *map(str, files)]
    done = subprocess.run(run, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=limits)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.endswith("]")]
    results = {name: looks for name,looks in lines if name!="begin"}
    if done.returncode: results[lines[-1][1] if lines else str(files[0])] = f"the child ended with {done.returncode}"
    return results


# --- mutations

def mutated(content, rng):
    "A photo with a few bytes changed, moved, doubled or gone, most often near its head"
    content = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        if not content: break
        near = rng.random()<.6
        i = rng.randrange(min(len(content), 400)) if near else rng.randrange(len(content))
        kind = rng.randrange(8)
        if kind==0: content[i] = rng.randrange(256)
        elif kind==1: content[i] ^= 1 << rng.randrange(8)
        elif kind==2: content[i:i+4] = rng.choice([b"\xff"*4, bytes(4), b"\x7f\xff\xff\xff", b"\0\0\xff\xff"])
        elif kind==3: del content[i:i+rng.randrange(1, 60)]
        elif kind==4: content[i:i] = content[i:i+rng.randrange(1, 60)]*rng.choice([1, 1, 3, 50])
        elif kind==5: content[i:i] = rng.randbytes(rng.randrange(1, 20))
        elif kind==6: content[i:i] = rng.choice([b"\xff", b"\0", b"\1", b"\xff\0", b"!", b"II*\0"])*rng.choice([300, 30_000, 300_000])
        else: del content[i:]
    return bytes(content)


class Findings:
    def __init__(self, keep, lenient): self.keep,self.lenient,self.found,self.most = keep,lenient,[],{}
    def judge(self, name, looks, content=None, wanted=None):
        "Note what must not be"
        faults = [looks] if isinstance(looks, str) else [
            f"{said[:100]} in {seconds:.1f} s, {mb:.0f} MB" for said,seconds,mb in looks
            if said.startswith("ESCAPED") or seconds>SECONDS*self.lenient or mb>MEGABYTES]
        if isinstance(looks, list):
            self.most["s"] = max(self.most.get("s", (0, "")), max((x[1], name) for x in looks))
            self.most["MB"] = max(self.most.get("MB", (0, "")), max((x[2], name) for x in looks))
            faults += [f"wanted {wanted}: {x[0][:100]}" for x in looks[1:4] if wanted and not x[0].startswith(wanted)]
        for fault in faults: print(f"FOUND {name}: {fault}", flush=True)
        if faults and content is not None and self.keep:
            (self.keep/f"{len(self.found)}.bin").write_bytes(content)
        self.found += faults


def links(folder):
    "The link matrix: what a name may stand for, and if it may be read"
    good = folder/"photo.jpg"
    good.write_bytes(saved(small, "JPEG"))
    (folder/"real").mkdir()
    (folder/"real"/"photo.jpg").write_bytes(good.read_bytes())
    os.symlink(good, folder/"link.jpg")
    os.symlink(folder/"real", folder/"parent")
    os.link(good, folder/"hard.jpg")
    os.symlink(folder/"nowhere", folder/"dangling.jpg")
    os.symlink("loop.jpg", folder/"loop.jpg")
    os.mkfifo(folder/"pipe.jpg")
    return {folder/"link.jpg": "read", folder/"parent"/"photo.jpg": "read", folder/"hard.jpg": "read", folder/"real"/".."/"photo.jpg": "read",
            folder/"dangling.jpg": "refused", folder/"loop.jpg": "refused", folder/"pipe.jpg": "refused", folder/"real": "refused",
            Path("/dev/null"): "refused", Path("/dev/zero"): "refused", Path("/dev/stdin"): "refused"}


def main():
    parser = ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--cases", type=int, help="so many mutated photos, however long it takes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--lenient", type=float, default=1, help="factor for the seconds, on a busy machine")
    parser.add_argument("--quick", action="store_true", help="leave out the photos of millions of pixels")
    parser.add_argument("--read", type=Path)
    args = parser.parse_args()
    if args.read: return print(*look(args.read), sep="\n")
    if args.keep: args.keep.mkdir(parents=True, exist_ok=True)
    found,start,rng,done = Findings(args.keep, args.lenient),time.monotonic(),Random(args.seed),0
    with tempfile.TemporaryDirectory() as tmp:
        tmp = Path(tmp)
        def several(named, wanted=None):
            "Read photos, quickly in one child, or each in a child of its own so that memory is counted from nothing"
            files = {}
            for i,(name,content) in enumerate(named.items()):
                files[str(tmp/f"{i}.bin")] = name
                (tmp/f"{i}.bin").write_bytes(content)
                if not args.quick or i+1==len(named):
                    for file,looks in read_in_child(list(files), 20).items():
                        found.judge(files[file], looks, named[files[file]], wanted)
                    files = {}
        for (kind,what),make in [] if args.quick else BOMBS.items():
            if kind!="EXIF": several({f"{kind}, {what}": make()}, "refused")
        for name,make in [] if args.quick else ODD.items(): several({name: make()})
        honest = {name: make() for name,make in HONEST.items() if not args.quick or not ("million" in name or ":1" in name)}
        several(honest, "read")
        (tmp/"links").mkdir()
        matrix = {str(file): wanted for file,wanted in links(tmp/"links").items()}
        for file,looks in read_in_child(list(matrix), 20).items(): found.judge(f"link {file}", looks, None, matrix.get(file))
        print(f"{0 if args.quick else len(BOMBS)-2} bombs, {0 if args.quick else len(ODD)} near the limits, {len(honest)} honest, 11 links: {len(found.found)} findings, "
              f"{time.monotonic()-start:.0f} s", flush=True)
        seeds = [c for name,c in honest.items() if len(c)<2_000_000 and "million" not in name and ":1" not in name]+[
            gif(), png(40, 30, 6), exif_block(3, 30), with_segments(saved(small, "JPEG"), segment(0xE1, b"Exif\0\0"+exif_block(30, 3000)))]
        while done<args.cases if args.cases is not None else time.monotonic()-start<args.seconds:
            batch = {tmp/f"{i}.bin": mutated(rng.choice(seeds), rng) for i in range(min(100 if args.quick else 50, (args.cases or 10**9)-done))}
            for file,content in batch.items(): file.write_bytes(content)
            results = read_in_child(batch, SECONDS)
            for file,looks in results.items(): found.judge(f"mutated, seed {args.seed}, case {done}", looks, batch[Path(file)])
            done += len(results)
    print(f"{done} mutated photos with seed {args.seed}, most time {found.most['s']}, most memory {found.most['MB']}, "
          f"{len(found.found)} findings, {time.monotonic()-start:.0f} s")
    return bool(found.found)

if __name__=="__main__": sys.exit(main())
