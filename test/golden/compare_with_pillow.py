"""Compares decoded pixels with Pillow's: a table a folder and format, and every file that stands out.

Run by hand, where Pillow is installed:
python3 test/golden/compare_with_pillow.py [--decode exact] FOLDER …
"""

import argparse
import collections
import json
import pathlib
import struct
import subprocess
import tempfile
import warnings

from PIL import Image, ImageChops, ImageOps, ImageStat

warnings.simplefilter("ignore")


arguments = argparse.ArgumentParser()
arguments.add_argument("--decode", choices=["standard", "exact"], default="standard")
arguments.add_argument("folders", nargs="+")
MODE, FOLDERS = vars(arguments.parse_args()).values()


def decode_here(path):
    """An image as `deno task preprocess --with-decoded` decodes it, or the message that refuses it."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out.safetensors"
        command = ["deno", "task", "--quiet", "preprocess", path, "--out", out, "--with-decoded"]
        command += ["--decode", MODE]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            return result.stderr.strip()
        file = out.read_bytes()
    length = struct.unpack("<Q", file[:8])[0]
    decoded = json.loads(file[8 : 8 + length])["decoded"]
    begin, end = (8 + length + offset for offset in decoded["data_offsets"])
    height, width, _ = decoded["shape"]
    return Image.frombytes("RGB", (width, height), file[begin:end])


def decode_with_pillow(path):
    try:
        return ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    except Exception as error:  # Pillow raises many kinds
        return f"{type(error).__name__}: {error}"


def format_of(path):
    head = path.read_bytes()[:12]
    for signature, name in [(b"\xff\xd8\xff", "JPEG"), (b"\x89PNG", "PNG"), (b"GIF8", "GIF")]:
        if head.startswith(signature):
            return name
    if head[8:] == b"WEBP":
        return "WebP"
    return "other"


groups = collections.defaultdict(collections.Counter)
stand_out = []
for folder in FOLDERS:
    for path in sorted(p for p in pathlib.Path(folder).rglob("*") if p.is_file()):
        group = groups[f"{path.parent.name} {format_of(path)}"]
        here, pillow = decode_here(path), decode_with_pillow(path)
        group["files"] += 1
        if isinstance(here, str) and isinstance(pillow, str):
            group["both refuse"] += 1
        elif isinstance(here, str):
            group["only Pillow decodes"] += 1
            stand_out.append(f"{path}: refused: {here}")
        elif isinstance(pillow, str):
            group["only we decode"] += 1
            stand_out.append(f"{path}: Pillow refuses: {pillow}")
        elif here.size != pillow.size:
            group["other size"] += 1
            stand_out.append(f"{path}: {here.size}, Pillow has {pillow.size}")
        else:
            difference = ImageChops.difference(here, pillow)
            mean = sum(ImageStat.Stat(difference).mean) / 3
            highest = max(high for _, high in difference.getextrema())
            group["identical" if highest == 0 else "different"] += 1
            group["sum of means"] += mean
            group["max mean"] = max(group["max mean"], mean)
            group["max"] = max(group["max"], highest)
            if highest > (3 if format_of(path) == "JPEG" and MODE == "standard" else 0):
                stand_out.append(f"{path}: mean {mean:.4f}, max {highest} levels")

columns = ["files", "identical", "different", "both refuse", "only Pillow decodes", "only we decode"]
print(" | ".join(["", *columns, "other size", "mean of means", "largest mean", "max", ""]))
for name, group in sorted(groups.items()):
    compared = group["identical"] + group["different"] or 1
    numbers = [str(group[column]) for column in [*columns, "other size"]]
    means = [f"{group['sum of means'] / compared:.4f}", f"{group['max mean']:.4f}"]
    print(" | ".join(["", name, *numbers, *means, str(group["max"]), ""]))
print(*stand_out, sep="\n")
