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
    "jpeg_422": encode(rgb, format="JPEG", quality=75, subsampling=1),
    "jpeg_restart": encode(rgb, format="JPEG", quality=75, restart_marker_blocks=2),
    "jpeg_progressive": encode(rgb, format="JPEG", progressive=True),
    "jpeg_progressive_444": encode(rgb, format="JPEG", progressive=True, subsampling=0),
    "jpeg_odd": encode(rgb.resize((17, 9)), format="JPEG"),
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
    "webp_lossless": encode(rgb, format="WEBP", lossless=True),
    "webp_lossless_alpha": encode(with_alpha, format="WEBP", lossless=True, exact=True),
    "webp_lossy": encode(rgb, format="WEBP", quality=80),
    "webp_lossy_alpha": encode(with_alpha, format="WEBP", quality=80),
    "webp_animated": encode(
        rgb, format="WEBP", lossless=True, save_all=True, append_images=[rgb.rotate(180)]
    ),
    "gif_animated": encode(
        palette, format="GIF", save_all=True, append_images=[rgb.rotate(180).quantize(16)]
    ),
}
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    files[f"jpeg_orientation_{orientation}"] = encode(rgb, format="JPEG", exif=exif)
    files[f"png_orientation_{orientation}"] = encode(rgb, format="PNG", exif=exif)
    files[f"webp_orientation_{orientation}"] = encode(
        rgb, format="WEBP", lossless=True, exif=exif
    )
# The first frame lies inside a larger screen: its size stands in bytes 6 to 9, its place is (2, 3).
gif = bytearray(files["gif"])
gif[6:10] = struct.pack("<HH", WIDTH + 4, HEIGHT + 6)
descriptor = gif.index(b"," + struct.pack("<HHHH", 0, 0, WIDTH, HEIGHT))
gif[descriptor + 1 : descriptor + 5] = struct.pack("<HH", 2, 3)
files["gif_offset"] = bytes(gif)

# Its palette moves from the screen to the frame, and a colour other than the first is transparent.
colors = bytes(gif[13 : 13 + 3 * 256])
local = bytearray(gif[:10] + b"\0" + gif[11:13] + gif[13 + 3 * 256 :])
control = b"!\xf9\x04\x01\0\0\x05\0"
start = local.index(b",", 13)
files["gif_offset_local_palette"] = bytes(
    local[:13] + control + local[start : start + 9] + b"\x87" + colors + local[start + 10 :]
)

# The same for WebP: the canvas's size − 1 stands in bytes 24 to 29, a frame's place / 2 in ANMF's first 6.
webp = bytearray(files["webp_animated"])
webp[24:30] = struct.pack("<I", WIDTH + 3)[:3] + struct.pack("<I", HEIGHT + 5)[:3]
frame = webp.index(b"ANMF") + 8
webp[frame : frame + 6] = struct.pack("<I", 1)[:3] + struct.pack("<I", 2)[:3]
files["webp_offset"] = bytes(webp)



def segment(jpeg, marker):
    """Where a JPEG's first segment of that marker begins and ends."""
    begin = jpeg.index(bytes([0xFF, marker]))
    return begin, begin + 2 + struct.unpack(">H", jpeg[begin + 2 : begin + 4])[0]


# Colours that only libjpeg's rules tell.
begin, end = segment(files["jpeg_cmyk"], 0xEE)
files["jpeg_cmyk_no_adobe"] = files["jpeg_cmyk"][:begin] + files["jpeg_cmyk"][end:]
adobe = b"\xff\xee\0\x0eAdobe\0d\0\0\0\0\0"
begin, end = segment(files["jpeg_444"], 0xE0)
files["jpeg_jfif_and_adobe"] = files["jpeg_444"][:end] + adobe + files["jpeg_444"][end:]
files["jpeg_adobe_rgb"] = files["jpeg_444"][:begin] + adobe + files["jpeg_444"][end:]
named = bytearray(files["jpeg_444"][:begin] + files["jpeg_444"][end:])
frame, _ = segment(named, 0xC0)
scan, _ = segment(named, 0xDA)
for i, name in enumerate(b"RGB"):
    named[frame + 10 + 3 * i] = name
    named[scan + 5 + 2 * i] = name
files["jpeg_named_rgb"] = bytes(named)
files["jpeg_stray_bytes"] = files["jpeg_444"][:end] + b"\0\x55" + files["jpeg_444"][end:]
files["jpeg_1_wide"] = encode(rgb.resize((1, 17)), format="JPEG", subsampling=0)
files["jpeg_1_high"] = encode(rgb.resize((17, 1)), format="JPEG", subsampling=0)

# Screens that are smaller than the frame, and no colours at all.
gif = bytearray(files["gif"])
gif[6:10] = struct.pack("<HH", WIDTH - 9, 0)
files["gif_over_screen"] = bytes(gif)
gif = files["gif"]
files["gif_no_palette"] = gif[:10] + b"\0" + gif[11:13] + gif[13 + 3 * 256 :]

# An animation, of which the picture is a frame, and one of which it is none.
frames = [rgb.rotate(180), rgb.rotate(90)]
files["png_animated"] = encode(rgb, format="PNG", save_all=True, append_images=frames)
files["png_animated_apart"] = encode(
    rgb, format="PNG", save_all=True, default_image=True, append_images=frames
)

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
