#!/usr/bin/env bash
# Pillow shows a grey PNG of 16 bits as white, where other decoders show grey.
#
# One would expect convert("RGB") to keep the picture, as it does for grey of 8 bits, grey with transparency and RGB of
# 16 bits. For grey of 16 bits Pillow keeps the numbers and cuts them off at 255: everything but the darkest 1/256
# becomes white, and what was black becomes grey. OpenCV and libvips divide. A service built on Pillow sees a white
# picture where a browser shows a photo.
# Recorded with Pillow 13.0.0, opencv-python-headless 5.0.0.93, and pyvips 3.2.0 with libvips 8.18.7.
. "$(dirname "$0")/lib/common.sh"
decoders

python <<'PYTHON'
import io, struct, zlib
import cv2, numpy, pyvips
from PIL import Image
from findings import check, conclude

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def png(color_type, *samples):
    """A PNG of 16 by 16 equal pixels with 16 bits per sample."""
    row = b"\0" + struct.pack(f">{len(samples)}H", *samples) * 16
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 16, 16, color_type, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(row * 16)) + chunk(b"IEND", b""))

def pillow(data):
    return Image.open(io.BytesIO(data)).convert("RGB").getpixel((8, 8))[0]

def opencv(data):
    return int(cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR)[8, 8, 0])

def libvips(data):
    return int(pyvips.Image.new_from_buffer(data, "").colourspace("srgb").getpoint(8, 8)[0])

for what, data, recorded in (
    ("grey 16, 32768 of 65535", png(0, 32768), (255, 128, 128)),
    ("grey 16, 200 of 65535", png(0, 200), (200, 0, 0)),
    ("grey and alpha 16, 32768", png(4, 32768, 65535), (128, 128, 128)),
    ("RGB 16, 32768", png(2, 32768, 32768, 32768), (128, 128, 128)),
):
    check(f"{what}: Pillow, OpenCV, libvips", (pillow(data), opencv(data), libvips(data)), recorded)
conclude()
PYTHON
conclude
