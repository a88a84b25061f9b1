#!/usr/bin/env bash
# TurboJPEG refuses JPEG files that libjpeg-turbo's other API decodes.
#
# JPEG lets each component have sampling factors from 1 to 4. libjpeg-turbo decodes all of these files through the libjpeg
# API, and so does Pillow, which uses that API. One would expect the same of the TurboJPEG API, which the same library
# offers on top. But it knows a list of named subsamplings only ("420", "411"), and its header call fails for every other:
# not only can the picture not be decoded, even its size cannot be read.
# Recorded with simplejpeg 1.9.0 (TurboJPEG), Pillow 13.0.0 (libjpeg) and jpeglib 1.0.2, which writes the files.
. "$(dirname "$0")/lib/common.sh"
need python3 python3-venv
venv simplejpeg==1.9.0 pillow==13.0.0 jpeglib==1.0.2
"$folder/venv/bin/pip" list 2>/dev/null | grep -E '^(simplejpeg|pillow|jpeglib) '

cat >"$folder/sampling.py" <<'PYTHON'
import io, sys
import jpeglib, numpy, simplejpeg
from PIL import Image

# The left half is red, the right half is blue.
pixels = numpy.zeros((48, 96, 3), numpy.uint8)
pixels[:, :48], pixels[:, 48:] = (200, 30, 30), (30, 60, 200)

def close(pixel, wanted):
    return all(abs(int(a) - b) <= 8 for a, b in zip(pixel, wanted))

def file_of(factors):
    """The picture as JPEG; factors are (horizontal, vertical) of Y, Cb and Cr."""
    picture = jpeglib.from_spatial(pixels)
    picture.samp_factor = [(vertical, horizontal) for horizontal, vertical in factors]
    picture.write_spatial(sys.argv[1], qt=90)
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    frame = data.index(b"\xff\xc0")
    written = [(data[frame + 11 + 3 * i] >> 4, data[frame + 11 + 3 * i] & 15) for i in range(3)]
    assert written == factors, written
    return data

def libjpeg(data):
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return close(image.getpixel((10, 20)), (200, 30, 30)) and close(image.getpixel((85, 20)), (30, 60, 200))

def turbojpeg(data):
    try:
        height, width, _, name = simplejpeg.decode_jpeg_header(data)
    except ValueError as error:
        return str(error)
    return f"{width} x {height}, {name}"

refusal = "tjDecompressHeader3(): Could not determine subsampling level of JPEG image"
one = (1, 1)
recorded = [
    ([(2, 2), one, one], "96 x 48, 420"), ([(4, 1), one, one], "96 x 48, 411"),
    ([(3, 1), one, one], refusal), ([(1, 3), one, one], refusal), ([(4, 2), one, one], refusal),
    ([(2, 4), one, one], refusal), ([(2, 1), (2, 1), one], refusal), ([(2, 1), one, (2, 1)], refusal),
]
changed = False
for factors, wanted in recorded:
    data = file_of(factors)
    decoded, header = libjpeg(data), turbojpeg(data)
    text = ", ".join(f"{h}x{v}" for h, v in factors)
    is_recorded = decoded and header == wanted
    changed = changed or not is_recorded
    print(f"{text}: libjpeg {'decodes it' if decoded else 'DOES NOT DECODE IT'}; TurboJPEG: {header}"
          + ("" if is_recorded else f" (CHANGED: {wanted!r} recorded)"))
sys.exit(changed)
PYTHON

"$folder/venv/bin/python" "$folder/sampling.py" "$folder/picture.jpg" || changed=1
conclude
