"""Which figures of a page are plots, drawn in flat colours on white: these turn dark with the page, photos never do."""
import base64, io, re
from functools import cache
from urllib.parse import unquote

import numpy as np
from PIL import Image

IMG = re.compile(r'<img\b[^>]*?\bsrc="([^"]+\.(?:png|jpe?g)|data:image/(?:png|jpeg);base64,[^"]+)"[^>]*>')
TILE = 16  # pixels


def tiles(pixels):
    "A picture cut into squares: a row for each, with its pixels"
    high, wide = (n//TILE for n in pixels.shape)
    cut = pixels[:high*TILE, :wide*TILE].reshape(high, TILE, wide, TILE)
    return cut.swapaxes(1, 2).reshape(high*wide, TILE*TILE)


def is_plot(image):
    "Is it mostly white, and hardly anywhere as rich in shades as a photo? Digits in grey stay as they are, too"
    red, green, blue = colours = [np.asarray(band) for band in image.convert("RGB").split()]
    darkest, lightest = np.minimum.reduce(colours), np.maximum.reduce(colours)
    white = darkest >= 240
    if white.mean() < .69 or min(white.shape) < TILE: return False
    covered = tiles(white).mean(1) < .3
    shade = (red//16).astype(int)*256 + green//16*16 + blue//16
    shades = 1 + (np.diff(np.sort(tiles(shade)[covered])) > 0).sum(1)
    rich = (shades > 8).sum()/len(covered)
    coloured = (lightest-darkest > 40).mean() > .002
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
