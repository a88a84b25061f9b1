#!/usr/bin/env bash
# Pillow does not call a phone's JPEG a JPEG if there is a second picture behind the first.
#
# Phones put depth maps and second exposures behind a photo, announced in an MPF segment (CIPA DC-007). The file is a
# JPEG for every viewer, for libvips, and for OpenCV. One would expect Image.format to be "JPEG". It is "MPO", and the
# type is image/mpo: a service that allows JPEG and PNG by what Pillow says refuses the photo. Cutting the second
# picture off does not help, as the announcement decides; saving it again does.
# Recorded with Pillow 13.0.0, opencv-python-headless 5.0.0.93, and pyvips 3.2.0 with libvips 8.18.7.
. "$(dirname "$0")/lib/common.sh"
decoders

python <<'PYTHON'
import io
import cv2, numpy, pyvips
from PIL import Image
from findings import check, conclude

def saved(image, **options):
    file = io.BytesIO()
    image.save(file, **options)
    return file.getvalue()

def opened(data):
    return Image.open(io.BytesIO(data))

photo, depth = Image.new("RGB", (64, 48), (200, 40, 40)), Image.new("RGB", (64, 48), (40, 40, 200))
data = saved(photo, format="MPO", save_all=True, append_images=[depth])
second = data.index(b"\xff\xd8", 2)
check("begins like a JPEG, and has a second one behind it", (data[:3], data[second - 2:second]),
      (b"\xff\xd8\xff", b"\xff\xd9"))
image = opened(data)
check("Pillow: format, type, pictures", (image.format, image.get_format_mimetype(), image.n_frames),
      ("MPO", "image/mpo", 2))
check("Pillow, cut behind the first: format", opened(data[:second]).format, "MPO")
check("Pillow, saved again: format", opened(saved(image, format="JPEG")).format, "JPEG")
loaded = pyvips.Image.new_from_buffer(data, "")
check("libvips: loader, size", (loaded.get("vips-loader"), loaded.width, loaded.height), ("jpegload_buffer", 64, 48))
pixels = cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR)
check("OpenCV: size, and whether it is the first", (pixels.shape[:2], bool(pixels[9, 9, 2] > 128)), ((48, 64), True))
conclude()
PYTHON
conclude
