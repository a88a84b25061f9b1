#!/usr/bin/env bash
# Decoders disagree about which pictures are lying on their side.
#
# One would expect an orientation in a picture's EXIF to count everywhere or nowhere, as in JPEG, where Pillow's
# exif_transpose, OpenCV's imread and libvips' autorot agree. In PNG and WebP they agree only about the plain case. EXIF
# behind the pixels of a PNG, EXIF with JPEG's prefix, and an orientation that is given twice or not as a SHORT turn the
# picture in one library and not in the next. An orientation in XMP alone turns JPEG, PNG and WebP in Pillow, and in
# nothing else: a picture that was stripped of its EXIF only is upright in some viewers.
# Recorded with Pillow 13.0.0, opencv-python-headless 5.0.0.93, and pyvips 3.2.0 with libvips 8.18.7.
. "$(dirname "$0")/lib/common.sh"
decoders

python <<'PYTHON'
import io, struct, zlib
import cv2, numpy, pyvips
from PIL import Image, ImageOps
from findings import check, conclude

picture = Image.linear_gradient("L").convert("RGB").resize((64, 32))

def exif(*entries, order="<"):
    """EXIF with an entry for each (type, count, value) of the orientation."""
    data = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, len(entries))
    for kind, count, value in entries:
        field = {1: "B3x", 3: "H2x", 4: "I"}[kind]
        data += struct.pack(order + "HHI" + field, 0x112, kind, count, value)
    return data + bytes(4)

SHORT, LONG, BYTE = 3, 4, 1
turn = exif((SHORT, 1, 6))
xmp = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
       b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>')

def saved(kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def jpeg(data):
    plain = saved("JPEG")
    body = b"Exif\0\0" + data
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]

def png(data, before="IDAT", kind=b"eXIf"):
    plain = saved("PNG")
    place = plain.index(before.encode()) - 4
    return plain[:place] + chunk(kind, data) + plain[place:]

def webp(data, kind=b"EXIF", flag=8):
    plain = saved("WEBP", lossless=True)[12:]
    body = struct.pack("<4sIB3x", b"VP8X", 10, flag) + (63).to_bytes(3, "little") + (31).to_bytes(3, "little") + plain
    body += struct.pack("<4sI", kind, len(data)) + data + bytes(len(data) % 2)
    return struct.pack("<4sI4s", b"RIFF", len(body) + 4, b"WEBP") + body

def jpeg_xmp():
    plain, body = saved("JPEG"), b"http://ns.adobe.com/xap/1.0/\0" + xmp
    return plain[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + plain[2:]

def pillow(data):
    return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).size

def opencv(data):
    return cv2.imdecode(numpy.frombuffer(data, numpy.uint8), cv2.IMREAD_COLOR).shape[1::-1]

def libvips(data):
    image = pyvips.Image.new_from_buffer(data, "").autorot()
    return image.width, image.height

decoders = {"Pillow": pillow, "OpenCV": opencv, "libvips": libvips}
for what, data, recorded in (
    ("JPEG, EXIF", jpeg(turn), "Pillow, OpenCV, libvips"),
    ("PNG, eXIf before IDAT", png(turn), "Pillow, OpenCV, libvips"),
    ("PNG, eXIf after IDAT", png(turn, "IEND"), "Pillow, OpenCV"),
    ("PNG, eXIf with Exif\\0\\0", png(b"Exif\0\0" + turn), "Pillow"),
    ("WebP, EXIF", webp(turn), "Pillow, OpenCV, libvips"),
    ("WebP, EXIF with Exif\\0\\0", webp(b"Exif\0\0" + turn), "Pillow, libvips"),
    ("JPEG, XMP alone", jpeg_xmp(), "Pillow"),
    ("PNG, XMP alone", png(b"XML:com.adobe.xmp\0\0\0\0\0" + xmp, kind=b"iTXt"), "Pillow"),
    ("WebP, XMP alone", webp(xmp, b"XMP ", 4), "Pillow"),
    ("JPEG, 6 and then 1", jpeg(exif((SHORT, 1, 6), (SHORT, 1, 1))), "Pillow, OpenCV, libvips"),
    ("JPEG, a LONG, little-endian", jpeg(exif((LONG, 1, 6))), "Pillow, OpenCV, libvips"),
    ("JPEG, a LONG, big-endian", jpeg(exif((LONG, 1, 6), order=">")), "Pillow, libvips"),
    ("JPEG, a BYTE", jpeg(exif((BYTE, 1, 6))), "OpenCV, libvips"),
):
    turned = [name for name, size in decoders.items() if size(data) == (32, 64)]
    check(f"{what}: turned by", ", ".join(turned), recorded)
conclude()
PYTHON
conclude
