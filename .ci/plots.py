"""Which figures of a page are plots, drawn in flat colours on white: these turn dark with the page, photos never do."""
import base64, io, re
from functools import cache
from urllib.parse import unquote

import numpy as np
from PIL import Image

IMG = re.compile(r'<img\b[^>]*?\bsrc="([^"]+\.(?:png|jpe?g)|data:image/(?:png|jpeg);base64,[^"]+)"[^>]*>')
TILE = 16  # pixels


def tiles(pixels):
    "A picture cut into squares: their pixels, shape (squares, pixels of a square, 3)"
    high, wide = (n//TILE for n in pixels.shape[:2])
    cut = pixels[:high*TILE, :wide*TILE].reshape(high, TILE, wide, TILE, 3)
    return cut.swapaxes(1, 2).reshape(-1, TILE*TILE, 3)


def is_plot(image):
    "Is it mostly white, and hardly anywhere as rich in shades as a photo? Digits in grey stay as they are, too"
    pixels = np.asarray(image.convert("RGB")).astype(int)
    if (pixels >= 240).all(-1).mean() < .69 or min(pixels.shape[:2]) < TILE: return False
    squares = tiles(pixels)
    shades = np.array([len(np.unique(square//16 @ [256, 16, 1])) for square in squares])
    covered = (squares >= 240).all(-1).mean(1) < .3
    rich = (covered & (shades > 8)).mean()
    coloured = (np.ptp(pixels, axis=-1) > 40).mean() > .002
    return bool(rich == 0 or coloured and rich < .07)


@cache
def shows_plot(source, folder):
    "Is the picture of a page a plot? `source` is its address, or the picture itself"
    if source.startswith("data:"): file = io.BytesIO(base64.b64decode(source.partition(",")[2]))
    else: file = folder/unquote(source)
    return (isinstance(file, io.BytesIO) or file.is_file()) and is_plot(Image.open(file))


def marked(image, folder):
    "The tag of a picture, with the class `plot` if it is one"
    tag = image[0]
    if not shows_plot(image[1], folder) or re.search(r'class="[^"]*\bplot\b', tag): return tag
    if 'class="' in tag: return tag.replace('class="', 'class="plot ', 1)
    return tag.replace("<img", '<img class="plot"', 1)


def mark_plots(text, folder):
    "A page whose plots are named as such"
    return IMG.sub(lambda image: marked(image, folder), text)
