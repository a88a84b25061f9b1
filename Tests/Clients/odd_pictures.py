"""Valid pictures of odd kinds, made by Pillow: odd_pictures.py FOLDER.

Writes the files and index.json, which has for each file its name, how a browser shows it (its size, and the color in
the middle of each quarter), and whether it can be sent to Kling as it is. The colors come from Pillow and Little CMS.
"""

import io
import itertools
import json
import os
import shutil
import struct
import subprocess
import sys
import zlib

from PIL import Image, ImageCms, ImageOps

SIZE = (320, 304)
COLORS = [(220, 60, 50), (60, 180, 70), (50, 70, 200), (220, 200, 60)]


def painting(colors=COLORS, mode="RGB", size=SIZE):
    """Four quarters, from the top left to the bottom right."""
    width, height = size
    picture = Image.new(mode, size)
    for index, color in enumerate(colors):
        x, y = index % 2 * width // 2, index // 2 * height // 2
        picture.paste(color, (x, y, x + width // 2, y + height // 2))
    return picture


def quarters(picture):
    width, height = picture.size
    places = [(1, 1), (3, 1), (1, 3), (3, 3)]
    return [list(picture.getpixel((x * width // 4, y * height // 4))) for x, y in places]


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


# Profiles


def fixed(number):
    return struct.pack(">i", round(number * 65536))


def xyz(*point):
    return b"XYZ \0\0\0\0" + b"".join(map(fixed, point))


def exponent(gamma):
    return b"para\0\0\0\0\0\0\0\0" + fixed(gamma)


def profile(tags, space, pcs=b"XYZ ", kind=b"mntr", version=b"\x04\x30\0\0"):
    """An ICC profile with these tags."""
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, data in tags.items():
        table += name + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I", start + len(body)) + bytes(4) + version + kind + space + pcs + bytes(12) + b"acsp"
    head += bytes(28) + fixed(0.9642) + fixed(1) + fixed(0.8249)
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body


WHITE = {b"wtpt": xyz(0.9642, 1, 0.8249)}


def rgb_profile(red, green, blue, gamma, more={}):
    curve = exponent(gamma)
    return profile(
        WHITE | {b"rXYZ": xyz(*red), b"gXYZ": xyz(*green), b"bXYZ": xyz(*blue)}
        | {b"rTRC": curve, b"gTRC": curve, b"bTRC": curve} | more, b"RGB ")


ADOBE = rgb_profile((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), 2.19921875)
# A profile in several APP2 segments.
LARGE = rgb_profile((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457), 2.19921875,
                    {b"zzzz": b"text\0\0\0\0" + bytes(200_000)})
WIDE = rgb_profile((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407), 2.4)
GREY = profile(WHITE | {b"kTRC": exponent(1.8)}, b"GRAY")
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def ink_profile():
    """A table that converts inks to Lab, with only the sixteen corners."""
    table = b""
    for corner in range(16):
        cyan, magenta, yellow, black = (corner >> bit & 1 for bit in (3, 2, 1, 0))
        light = (100 - 30 * cyan - 35 * magenta - 8 * yellow) * (1 - 0.8 * black)
        a, b = (-30 * cyan + 60 * magenta) * (1 - black), (-40 * cyan + 70 * yellow) * (1 - black)
        table += struct.pack(">HHH", round(light * 652.8), round((a + 128) * 256), round((b + 128) * 256))
    matrix = b"".join(fixed(1 if index % 4 == 0 else 0) for index in range(9))
    straight = struct.pack(">HH", 0, 65535)
    lut = b"mft2\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + struct.pack(">HH", 2, 2) + straight * 4 + table + straight * 3
    return profile(WHITE | {b"A2B0": lut}, b"CMYK", b"Lab ", b"prtr", b"\x02\x10\0\0")


INK = ink_profile()


def converted(picture, data):
    """The picture, converted to sRGB by Little CMS."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(data))
    return ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode="RGB")


# Parts of files


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def without(file, marker):
    """A JPEG file without the segments of this marker before its first scan."""
    kept, position = file[:2], 2
    while file[position + 1] != 0xDA:
        end = position + 2 + struct.unpack_from(">H", file, position + 2)[0]
        kept += b"" if file[position + 1] == marker else file[position:end]
        position = end
    return kept + file[position:]


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(picture, depth=8, interlaced=False, chunks=b""):
    """A PNG file of an RGB picture, in formats that Pillow does not write."""
    width, height = picture.size
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    rows = b""
    for x, y, across, down in passes if interlaced else [(0, 0, 1, 1)]:
        for row in range(y, height, down):
            pixels = b"".join(bytes(picture.getpixel((column, row))) for column in range(x, width, across))
            rows += b"\0" + (pixels if depth == 8 else b"".join(bytes([sample, sample]) for sample in pixels))
    head = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 1 if interlaced else 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunks + chunk(b"IDAT", zlib.compress(rows))
            + chunk(b"IEND", b""))


def exif(orientation):
    return b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", orientation, 0, 0)


# The pictures


class Corpus:
    def __init__(self, folder):
        self.folder, self.index = folder, []

    def add(self, name, file, shown=None, fine=True):
        """Writes a file. `shown` is the picture that a browser shows; by default, the one that Pillow reads."""
        shown = shown or Image.open(io.BytesIO(file)).convert("RGB")
        with open(os.path.join(self.folder, name), "wb") as target:
            target.write(file)
        self.index.append({"name": name, "size": shown.size, "colors": quarters(shown), "fine": fine})


def jpeg(corpus):
    plain = painting()
    file = saved(plain, "JPEG", quality=95)
    corpus.add("plain.jpg", file)
    corpus.add("progressive.jpg", saved(plain, "JPEG", progressive=True))
    corpus.add("restarts.jpg", saved(plain, "JPEG", restart_marker_blocks=1))
    corpus.add("grey.jpg", saved(plain.convert("L"), "JPEG"))
    corpus.add("pair.mpo", saved(plain, "MPO", save_all=True, append_images=[Image.new("RGB", SIZE)]))
    corpus.add("film.jpg", file + b"\0\0\0\x18ftypmp42" + bytes(range(256)) * 40)
    for orientation in range(1, 9):
        turned = file[:2] + segment(0xE1, b"Exif\0\0" + exif(orientation)) + file[2:]
        shown = ImageOps.exif_transpose(Image.open(io.BytesIO(turned))).convert("RGB")
        corpus.add(f"orientation-{orientation}.jpg", turned, shown, fine=orientation == 1)


def samplings(corpus):
    """Every sampling that cjpeg writes and Pillow reads: as it is, with stray bytes between segments, and turned."""
    if not shutil.which("cjpeg"):
        return
    plain = io.BytesIO()
    painting().save(plain, "PPM")
    factors = [(across, down) for across in range(1, 5) for down in range(1, 5)]
    for chosen in itertools.product(factors, repeat=3):
        # An MCU has ten blocks at most (ITU T.81, B.2.3). libjpeg scales each component up by whole numbers.
        most = [max(factor[axis] for factor in chosen) for axis in (0, 1)]
        if sum(across * down for across, down in chosen) > 10 or any(
                most[axis] % factor[axis] for factor in chosen for axis in (0, 1)):
            continue
        name = ",".join(f"{across}x{down}" for across, down in chosen)
        made = subprocess.run(["cjpeg", "-quality", "95", "-sample", name], input=plain.getvalue(), capture_output=True)
        if made.returncode != 0:
            continue
        end = 4 + struct.unpack_from(">H", made.stdout, 4)[0]
        for kind, more in [("", b""), ("-stray", b"\0\1\2\3"), ("-turned", segment(0xE1, b"Exif\0\0" + exif(6)))]:
            file = made.stdout[:end] + more + made.stdout[end:]
            shown = ImageOps.exif_transpose(Image.open(io.BytesIO(file))).convert("RGB")
            corpus.add(f"sampling-{name}{kind}.jpg", file, shown, fine=kind != "-turned")


def inks(corpus):
    plain = painting()
    inks = plain.convert("CMYK")
    file = saved(inks, "JPEG", quality=95)
    corpus.add("cmyk-adobe.jpg", file, fine=False)
    corpus.add("cmyk.jpg", without(file, 0xEE), plain, fine=False)
    # Pillow stores inks inverted, but in YCCK they are not.
    bands = Image.merge("RGB", inks.split()[:3]).convert("YCbCr").split()
    coded = Image.merge("CMYK", [ImageOps.invert(band) for band in bands] + [inks.split()[3]])
    file = saved(coded, "JPEG", quality=95)
    mark = file.index(b"Adobe") + 11
    file = file[:mark] + b"\x02" + file[mark + 1:]
    corpus.add("ycck-adobe.jpg", file, fine=False)
    corpus.add("ycck.jpg", without(file, 0xEE), ImageOps.invert(Image.merge("RGB", coded.split()[:3])), fine=False)


def png_and_webp(corpus):
    plain = painting()
    file = saved(plain, "PNG")
    corpus.add("plain.png", file)
    corpus.add("deep.png", png(plain, depth=16))
    # Pillow clips values above 255, whereas browsers take the higher byte.
    gray = plain.convert("L")
    deep = Image.frombytes("I;16", SIZE, b"".join(bytes([0, sample]) for sample in gray.tobytes()))
    corpus.add("deep-grey.png", saved(deep, "PNG"), gray.convert("RGB"))
    corpus.add("interlaced.png", png(plain, interlaced=True))
    corpus.add("palette.png", saved(plain.convert("P", palette=Image.Palette.ADAPTIVE), "PNG"))
    corpus.add("animated.png", saved(plain, "PNG", save_all=True, append_images=[Image.new("RGB", SIZE)]))
    corpus.add("more.png", file + bytes(range(256)))
    clear = painting([color + (alpha,) for color, alpha in zip(COLORS, (0, 80, 128, 255))], "RGBA")
    shown = Image.alpha_composite(Image.new("RGBA", SIZE, (255,) * 4), clear).convert("RGB")
    corpus.add("clear.png", saved(clear, "PNG"), shown)
    corpus.add("clear.webp", saved(clear, "WEBP", lossless=True, exact=True), shown, fine=False)
    corpus.add("plain.webp", saved(plain, "WEBP", quality=95), fine=False)
    frames = [Image.new("RGB", SIZE)]
    corpus.add("animated.webp", saved(plain, "WEBP", lossless=True, save_all=True, append_images=frames), fine=False)
    for orientation in range(1, 9):
        turned = saved(plain, "PNG", exif=exif(orientation))
        shown = ImageOps.exif_transpose(Image.open(io.BytesIO(turned))).convert("RGB")
        corpus.add(f"orientation-{orientation}.png", turned, shown, fine=orientation == 1)
    # Pillow turns it, but browsers don't.
    corpus.add("orientation-6.webp", saved(plain, "WEBP", lossless=True, exif=exif(6)), plain, fine=False)


def profiles(corpus):
    plain = painting()
    for name, data in [("adobe", ADOBE), ("large", LARGE), ("wide", WIDE)]:
        corpus.add(f"{name}.jpg", saved(plain, "JPEG", quality=95, icc_profile=data), converted(plain, data), fine=False)
        corpus.add(f"{name}.png", saved(plain, "PNG", icc_profile=data), converted(plain, data), fine=False)
        corpus.add(f"{name}.webp", saved(plain, "WEBP", lossless=True, icc_profile=data), converted(plain, data),
                   fine=False)
    corpus.add("srgb.jpg", saved(plain, "JPEG", quality=95, icc_profile=SRGB))
    corpus.add("srgb.png", saved(plain, "PNG", icc_profile=SRGB))
    gray = plain.convert("L")
    corpus.add("dark-grey.jpg", saved(gray, "JPEG", quality=95, icc_profile=GREY), converted(gray, GREY),
               fine=False)
    corpus.add("dark-grey.png", saved(gray, "PNG", icc_profile=GREY), converted(gray, GREY), fine=False)
    # A profile for another kind of samples is ignored.
    corpus.add("mismatch.jpg", saved(plain, "JPEG", quality=95, icc_profile=GREY))
    printed = plain.convert("CMYK")
    corpus.add("printed.jpg", saved(printed, "JPEG", quality=95, icc_profile=INK), converted(printed, INK), fine=False)
    shown = Image.blend(Image.new("RGB", SIZE, (255,) * 3), converted(plain, ADOBE), 128 / 255)
    half = plain.copy()
    half.putalpha(128)
    corpus.add("half-adobe.png", saved(half, "PNG", icc_profile=ADOBE), shown, fine=False)
    corpus.add("half-adobe.webp", saved(half, "WEBP", lossless=True, exact=True, icc_profile=ADOBE), shown, fine=False)


def main():
    corpus = Corpus(sys.argv[1])
    for part in (jpeg, samplings, inks, png_and_webp, profiles):
        part(corpus)
    with open(os.path.join(corpus.folder, "index.json"), "w") as target:
        json.dump(corpus.index, target)


main()
