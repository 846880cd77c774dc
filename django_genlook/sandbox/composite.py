"""Draws the garment onto the person: the sandbox's idea of a try-on."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageStat

from .person import find_face
from .pictures import Picture, open_picture, write_jpeg

MAP_SIDE = 160
OPACITY = 0.97
TOLERANCES = (22, 12, 6)
SMALLEST = 0.1


@lru_cache(maxsize=32)
def compose(photo: bytes, garment: bytes, watermark: bool) -> Picture:
    """Give the photo with the garment on the person's torso and "sandbox" in the corner; both are readable pictures."""
    person = open_picture(photo).convert("RGB")
    piece = cut_out(open_picture(garment))
    _dress(person, piece)
    _mark(person, "sandbox", right=True)
    if watermark:
        _mark(person, "logo", right=False)
    return write_jpeg(person)


def cut_out(garment: Image.Image) -> Image.Image:
    """Free the garment from its transparent or light, even background; white inside the garment stays."""
    colour = garment.convert("RGB")
    alpha = garment.getchannel("A") if garment.mode == "RGBA" else None
    if alpha is None or ImageStat.Stat(alpha).mean[0] > 250:
        alpha = _foreground(colour)
    box = alpha.point([0] * 32 + [255] * 224).getbbox()
    if box is None:
        alpha, box = Image.new("L", colour.size, 255), (0, 0, *colour.size)
    piece = colour.convert("RGBA")
    piece.putalpha(alpha)
    return piece.crop(box)


def _foreground(colour: Image.Image) -> Image.Image:
    width, height = colour.size
    edge = [(x, y) for x in (0, width // 2, width - 1) for y in (0, height - 1)] + [(0, height // 2)]
    samples = [tuple(_pixel(colour, x, y)) for x, y in edge]
    ground = tuple(sorted(sample[band] for sample in samples)[len(samples) // 2] for band in range(3))
    if min(ground) < 190:
        return Image.new("L", colour.size, 255)
    bands = ImageChops.difference(colour, Image.new("RGB", colour.size, ground)).split()
    distance = ImageChops.lighter(ImageChops.lighter(bands[0], bands[1]), bands[2])
    for tolerance in TOLERANCES:  # a pale garment on white needs a finer eye
        like_ground = distance.point([255 if value < tolerance else 0 for value in range(256)])
        inside = ImageChops.invert(ImageChops.multiply(like_ground, _reach_from_edge(like_ground)))
        if ImageStat.Stat(inside).mean[0] > 255 * SMALLEST:
            # One pixel off the rim takes the pale halo away that a scaled-down photo has.
            return inside.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.GaussianBlur(0.8))
    return Image.new("L", colour.size, 255)


def _reach_from_edge(like_ground: Image.Image) -> Image.Image:
    """Give a mask of the ground that is connected to the rim, found on a small map because filling is slow."""
    scale = min(1.0, MAP_SIDE / max(like_ground.size))
    size = (max(1, round(like_ground.width * scale)), max(1, round(like_ground.height * scale)))
    small = like_ground.resize(size, Image.Resampling.BOX).point([0] * 128 + [255] * 128)
    framed = Image.new("L", (size[0] + 2, size[1] + 2), 255)
    framed.paste(small, (1, 1))
    ImageDraw.floodfill(framed, (0, 0), 128)
    reached = framed.crop((1, 1, size[0] + 1, size[1] + 1)).point([255 if value == 128 else 0 for value in range(256)])
    return reached.filter(ImageFilter.MaxFilter(5)).resize(like_ground.size, Image.Resampling.NEAREST)


def _pixel(image: Image.Image, x: int, y: int) -> tuple[int, ...]:
    value = image.getpixel((x, y))
    return value if isinstance(value, tuple) else (0, 0, 0)


def _dress(person: Image.Image, piece: Image.Image) -> None:
    face = find_face(person)
    width = max(8, round(min(face.width * 3.3, person.width * 0.86)))
    height = max(8, round(piece.height * width / piece.width))
    top = min(round(face.bottom + 0.06 * face.height), round(person.height * 0.8))
    longest = 4 * max(person.height - top, 1)
    if height > longest:
        width, height = max(8, round(width * longest / height)), longest
    left = round(face.center_x - width / 2)
    piece = piece.resize((width, height), Image.Resampling.LANCZOS)
    alpha = piece.getchannel("A").point([round(value * OPACITY) for value in range(256)])

    reach = max(2, width // 40)
    shadow = Image.new("L", person.size, 0)
    shadow.paste(alpha.point([round(value * 0.45) for value in range(256)]), (left, top + reach // 2))
    person.paste("black", mask=shadow.filter(ImageFilter.GaussianBlur(reach)))
    person.paste(_lit_like(person, piece.convert("RGB"), left, top), (left, top), alpha)


def _lit_like(person: Image.Image, cloth: Image.Image, left: int, top: int) -> Image.Image:
    """Let the light and the folds of the photo show faintly on the cloth."""
    behind = person.crop((left, top, left + cloth.width, top + cloth.height)).convert("L")
    soft = behind.filter(ImageFilter.GaussianBlur(max(1.0, cloth.width / 60)))
    mean = ImageStat.Stat(soft).mean[0]
    light = soft.point([min(255, max(0, round(128 + (value - mean) * 0.35))) for value in range(256)])
    return ImageChops.soft_light(cloth, Image.merge("RGB", (light, light, light)))


def _mark(image: Image.Image, text: str, *, right: bool) -> None:
    size = max(9, min(image.size) // 28)
    font = ImageFont.load_default(size)
    layer = Image.new("RGBA", image.size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(layer)
    pad = size // 2
    x = image.width - pad * 2 if right else pad * 2
    y = image.height - pad * 2
    anchor = "rs" if right else "ls"
    box = draw.textbbox((x, y), text, font=font, anchor=anchor)
    frame = (box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad)
    draw.rounded_rectangle(frame, pad, fill=(20, 20, 30, 150))
    draw.text((x, y), text, font=font, anchor=anchor, fill=(255, 255, 255, 235))
    image.paste(layer, mask=layer.getchannel("A"))
