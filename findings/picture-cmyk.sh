#!/usr/bin/env bash
# Every decoder takes a JPEG in CMYK for inverted, whether or not Adobe's marker says so.
#
# Adobe's programs store inks inverted and mark the file with an APP14 segment. One would expect the marker to decide:
# with it, samples are inverted, and without it they are as they are. Pillow, OpenCV and libvips invert always. A file
# whose marker was stripped looks right, and one that a program wrote by the book, uninverted and without a marker, is
# black.
# Recorded with Pillow 13.0.0, opencv-python-headless 5.0.0.93, and pyvips 3.2.0 with libvips 8.18.7.
. "$(dirname "$0")/lib/common.sh"
decoders

python <<'PYTHON'
import io
import cv2, numpy, pyvips
from PIL import Image, ImageChops
from findings import check, conclude

def saved(inks, is_inverted):
    """A JPEG of one colour. Pillow inverts what it saves, and writes the marker."""
    image = Image.new("CMYK", (32, 32), inks)
    file = io.BytesIO()
    (image if is_inverted else ImageChops.invert(image)).save(file, "JPEG", quality=95)
    return file.getvalue()

def without_marker(data):
    start = data.index(b"\xff\xee")
    assert data[start + 4:start + 9] == b"Adobe"
    return data[:start] + data[start + 2 + int.from_bytes(data[start + 2:start + 4], "big"):]

def name(red, green, blue):
    return {(True, False, False): "red", (False, False, False): "black", (True, True, True): "white",
            (False, True, True): "cyan"}.get((red > 128, green > 128, blue > 128), (red, green, blue))

def pillow(data):
    return name(*Image.open(io.BytesIO(data)).convert("RGB").getpixel((8, 8)))

def opencv(data):
    pixels = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR)
    return name(*(int(value) for value in pixels[8, 8, ::-1]))

def libvips(data):
    return name(*pyvips.Image.new_from_buffer(data, "").colourspace("srgb").getpoint(8, 8))

red = (0, 255, 255, 0)
marked, plain = saved(red, True), saved(red, False)
for what, data, recorded in (
    ("stored inverted, with the marker", marked, "red"),
    ("stored inverted, the marker cut out", without_marker(marked), "red"),
    ("stored as it is, without a marker", without_marker(plain), "black"),
):
    check(f"red, {what}: Pillow, OpenCV, libvips", (pillow(data), opencv(data), libvips(data)), (recorded,) * 3)
conclude()
PYTHON
conclude
