"""Makes augmentations.json: what Pillow gives for the steps of the augmentations.

The functions are called as torchvision.transforms calls them for PIL images. Run by hand, where Pillow
and NumPy are installed: python3 test/golden/make_augmentations.py
"""

import base64
import hashlib
import json
import math
import pathlib

import numpy as np
import PIL
from PIL import Image, ImageEnhance, ImageFilter, ImageOps


def value(x, y, c):
    return (x * x * 7 + y * 13 + c * 61 + (x ^ y) * 5) % 256


# The test draws the same pictures: hard edges and smooth parts; few levels; and every 18th colour.
PICTURES = {
    "small": (9, 7, value),
    "dull": (20, 20, lambda x, y, c: 60 + value(x, y, c) // 2),
    "colours": (108, 54, lambda x, y, c: 15 * ((108 * y + x) // 18**c % 18)),
}


def picture(name):
    width, height, formula = PICTURES[name]
    pixels = bytes(formula(x, y, c) for y in range(height) for x in range(width) for c in range(3))
    return Image.frombytes("RGB", (width, height), pixels)


def adjust_hue(image, shift):
    h, s, v = image.convert("HSV").split()
    turned = np.array(h, dtype=np.uint8) + np.int32(shift * 255).astype(np.uint8)
    return Image.merge("HSV", (Image.fromarray(turned), s, v)).convert("RGB")


def affine(image, *matrix):
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST)


def crop_and_resize(image, left, top, width, height, out_height, out_width, resampling):
    box = image.crop((left, top, left + width, top + height))
    return box.resize((out_width, out_height), Image.Resampling[resampling.upper()])


OPERATIONS = {
    "adjust_brightness": lambda image, factor: ImageEnhance.Brightness(image).enhance(factor),
    "adjust_contrast": lambda image, factor: ImageEnhance.Contrast(image).enhance(factor),
    "adjust_saturation": lambda image, factor: ImageEnhance.Color(image).enhance(factor),
    "adjust_hue": adjust_hue,
    "adjust_sharpness": lambda image, factor: ImageEnhance.Sharpness(image).enhance(factor),
    "grayscale": lambda image: image.convert("L").convert("RGB"),
    "gaussian_blur": lambda image, radius: image.filter(ImageFilter.GaussianBlur(radius)),
    "auto_contrast": ImageOps.autocontrast,
    "equalize": ImageOps.equalize,
    "posterize": ImageOps.posterize,
    "solarize": ImageOps.solarize,
    "rotate": lambda image, degrees: image.rotate(degrees, Image.Resampling.NEAREST),
    "affine": affine,
    "mirror": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "crop_and_resize": crop_and_resize,
}

CASES = [
    *(("adjust_brightness", factor) for factor in (0, 0.42, 1, 1.7)),
    *(("adjust_contrast", factor) for factor in (0, 0.3, 1.25, 2.2)),
    *(("adjust_saturation", factor) for factor in (0, 0.63, 1.8)),
    *(("adjust_hue", shift) for shift in (-0.5, -0.1, 0, 0.07, 0.5)),
    *(("adjust_sharpness", factor) for factor in (0, 0.55, 1.9)),
    ("grayscale",),
    *(("gaussian_blur", radius) for radius in (0.1, 0.73, 2, 5.5, 40)),
    ("auto_contrast",),
    ("equalize",),
    *(("posterize", bits) for bits in (1, 4, 7)),
    *(("solarize", threshold) for threshold in (0, 128, 178.5)),
    *(("rotate", degrees) for degrees in (0, 9, -30, 180)),
    *(("affine", *matrix) for matrix in (
        (1, math.tan(math.atan(0.09)), 0, 0, 1, 0),
        (1, -0.3, 0, 0, 1, 0),
        (1, 0, 0, 0.21, 1, 0),
        (1, 0, -3, 0, 1, 0),
        (1, 0, 0, 0, 1, 2),
    )),
    ("mirror",),
    ("crop_and_resize", 1, 2, 6, 4, 5, 3, "bilinear"),
    ("crop_and_resize", 0, 0, 9, 7, 4, 8, "bicubic"),
    ("crop_and_resize", 3, 0, 2, 7, 6, 6, "lanczos"),
]


def result(name, operation, arguments):
    return OPERATIONS[operation](picture(name), *arguments).tobytes()


cases = [
    {
        "operation": operation,
        "arguments": arguments,
        "small": base64.b64encode(result("small", operation, arguments)).decode(),
        "sha256": {
            name: hashlib.sha256(result(name, operation, arguments)).hexdigest()
            for name in ("dull", "colours")
        },
    }
    for operation, *arguments in CASES
]
out = pathlib.Path(__file__).with_name("augmentations.json")
out.write_text(json.dumps({"pillow": PIL.__version__, "cases": cases}, indent=2) + "\n")
