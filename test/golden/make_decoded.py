"""Makes decoded.safetensors: small image files and the pixels that Pillow decodes of them.

For each case: `NAME.file` [bytes] and `NAME.decoded` [height, width, 3], both U8.
Run by hand, where Pillow is installed: python3 test/golden/make_decoded.py
"""

import io
import json
import math
import pathlib
import struct

from PIL import Image, ImageOps

WIDTH, HEIGHT = 45, 31


def picture():
    def level(x, y, c):
        return round(127 + 100 * math.sin(x / (5 + c)) * math.cos(y / (7 - c)) + 20 * (x // 15 % 2))

    pixels = [tuple(level(x, y, c) for c in range(3)) for y in range(HEIGHT) for x in range(WIDTH)]
    image = Image.new("RGB", (WIDTH, HEIGHT))
    image.putdata(pixels)
    return image


def encode(image, **options):
    file = io.BytesIO()
    image.save(file, **options)
    return file.getvalue()


rgb = picture()
with_alpha = rgb.copy()
with_alpha.putalpha(Image.linear_gradient("L").resize(rgb.size))
palette = rgb.quantize(16)
files = {
    "jpeg_420": encode(rgb, format="JPEG", quality=85),
    "jpeg_444": encode(rgb, format="JPEG", quality=95, subsampling=0),
    "jpeg_progressive": encode(rgb, format="JPEG", progressive=True),
    "jpeg_grey": encode(rgb.convert("L"), format="JPEG"),
    "jpeg_cmyk": encode(rgb.convert("CMYK"), format="JPEG", quality=90),
    "png_rgb": encode(rgb, format="PNG"),
    "png_rgba": encode(with_alpha, format="PNG"),
    "png_grey": encode(rgb.convert("L"), format="PNG"),
    "png_1_bit": encode(rgb.convert("1"), format="PNG"),
    "png_palette": encode(palette, format="PNG"),
    "png_palette_transparent": encode(palette, format="PNG", transparency=3),
    "gif": encode(palette, format="GIF"),
    "gif_transparent": encode(palette, format="GIF", transparency=3),
    "gif_animated": encode(
        palette, format="GIF", save_all=True, append_images=[rgb.rotate(180).quantize(16)]
    ),
}
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    files[f"jpeg_orientation_{orientation}"] = encode(rgb, format="JPEG", exif=exif)
    files[f"png_orientation_{orientation}"] = encode(rgb, format="PNG", exif=exif)
# The first frame lies inside a larger screen: its size stands in bytes 6 to 9, its place is (2, 3).
gif = bytearray(files["gif"])
gif[6:10] = struct.pack("<HH", WIDTH + 4, HEIGHT + 6)
descriptor = gif.index(b"," + struct.pack("<HHHH", 0, 0, WIDTH, HEIGHT))
gif[descriptor + 1 : descriptor + 5] = struct.pack("<HH", 2, 3)
files["gif_offset"] = bytes(gif)

tensors = {}
for name, file in files.items():
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB")
    tensors[f"{name}.file"] = ([len(file)], file)
    tensors[f"{name}.decoded"] = ([image.height, image.width, 3], image.tobytes())

header, data = {}, b""
for name, (shape, content) in tensors.items():
    span = [len(data), len(data) + len(content)]
    header[name] = {"dtype": "U8", "shape": shape, "data_offsets": span}
    data += content
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
out = pathlib.Path(__file__).with_name("decoded.safetensors")
out.write_bytes(struct.pack("<Q", len(text)) + text + data)
