"""Makes resize.json: digests of what Pillow's Image.resize gives for pictures of a formula.

Run by hand, where Pillow is installed: python3 test/golden/make_resize.py
"""

import hashlib
import json
import pathlib

import PIL
from PIL import Image

SIZES = [
    ((1, 1), (5, 3)),
    ((2, 3), (7, 7)),
    ((32, 32), (224, 224)),
    ((33, 17), (32, 32)),
    ((61, 47), (61, 20)),
    ((61, 47), (20, 47)),
    ((640, 7), (32, 32)),
    ((301, 199), (64, 64)),
    ((199, 301), (224, 224)),
    ((500, 375), (32, 32)),
]
FILTERS = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


def picture(width, height):
    """Hard edges and smooth parts; the test draws the same one."""
    pixels = bytes(
        (x * x * 7 + y * 13 + c * 61 + (x ^ y) * 5) % 256
        for y in range(height)
        for x in range(width)
        for c in range(3)
    )
    return Image.frombytes("RGB", (width, height), pixels)


cases = [
    {
        "from": source,
        "to": target,
        "resampling": name,
        "sha256": hashlib.sha256(picture(*source).resize(target, number).tobytes()).hexdigest(),
    }
    for source, target in SIZES
    for name, number in FILTERS.items()
]
out = pathlib.Path(__file__).with_name("resize.json")
out.write_text(json.dumps({"pillow": PIL.__version__, "cases": cases}, indent=2) + "\n")
