"""A small flat-lay studio: cloth pieces cut from outlines, shaded, sewn and buttoned with Pillow alone."""

import math
import random
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter

WIDTH, HEIGHT = 900, 1100
FINE = 3
Point = tuple[float, float]
Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]
Pattern = Callable[[Image.Image], None]


def path(text: str) -> list[Point]:
    """Return the points along an outline written as in SVG: ``L`` (may be left out) is a step, ``C`` a curve."""
    points: list[Point] = []
    words, at = text.split(), 0
    while at < len(words):
        if words[at] == "C":
            x1, y1, x2, y2, x3, y3 = map(float, words[at + 1 : at + 7])
            (x0, y0), at = points[-1], at + 7
            for step in range(1, 25):
                t = step / 24
                a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3
                points.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
        else:
            at += words[at] == "L"
            points.append((float(words[at]), float(words[at + 1])))
            at += 2
    return points


def mirror(points: Iterable[Point]) -> list[Point]:
    """Return the outline as seen in a mirror that stands in the middle of the picture."""
    return [(WIDTH - x, y) for x, y in points]


def whole(half: str) -> list[Point]:
    """Return a symmetric outline of which ``half`` is the left side, from the middle of the neck to that of the hem."""
    left = path(half)
    return left + mirror(left)[::-1]


def shade(colour: Colour, factor: float) -> Colour:
    """Return the colour darkened (below 1) or lightened towards white (above 1)."""
    if factor <= 1:
        red, green, blue = (round(part * factor) for part in colour)
    else:
        red, green, blue = (round(part + (255 - part) * (factor - 1)) for part in colour)
    return red, green, blue


class Studio:
    """One picture in the making, on pure white."""

    def __init__(self, seed: int) -> None:
        self.image = Image.new("RGB", (WIDTH, HEIGHT), "white")
        self.covered = Image.new("L", (WIDTH, HEIGHT), 0)
        self.random = random.Random(seed)
        self.grain = self._grain()

    def piece(
        self,
        outline: Sequence[Point],
        colour: Colour,
        *,
        pattern: Pattern | None = None,
        folds: Sequence[str] = (),
        depth: float = 0.34,
        volume: int = 46,
        shadow: float = 0.30,
    ) -> None:
        """Lay a piece of cloth on what is there.

        ``depth`` is how dark its edges fall, ``volume`` how far in that reaches, ``folds`` are soft creases.
        """
        box = _around(outline, margin=64)
        mask = self._mask(outline, box)
        if shadow:
            self._cast_shadow(mask, box, shadow)
        if pattern:
            cloth = Image.new("RGB", self.image.size, colour)
            pattern(cloth)
            cloth = cloth.crop(box)
        else:
            cloth = Image.new("RGB", mask.size, colour)
        cloth = self._light(cloth, mask, depth, volume)
        for number, fold in enumerate(folds):
            self._fold(cloth, [(x - box[0], y - box[1]) for x, y in path(fold)], light=number % 2 == 1)
        cloth = ImageChops.multiply(cloth, self.grain.crop(box))
        self.image.paste(cloth, box, mask)
        own = self._whole(mask, box)
        self.covered = ImageChops.lighter(self.covered, own)
        self.stroke([*outline, outline[0]], shade(colour, 0.55), 2.2, opacity=0.55, within=own)

    def stroke(
        self,
        line: Sequence[Point],
        colour: Colour,
        width: float,
        *,
        opacity: float = 1,
        dash: tuple[float, float] | None = None,
        within: Image.Image | None = None,
    ) -> None:
        """Draw a line; with ``dash`` (length, gap) it is a row of stitches; ``within`` keeps it on one piece."""
        left, top = (math.floor(min(p[i] for p in line) - width) for i in (0, 1))
        right, low = (math.ceil(max(p[i] for p in line) + width) for i in (0, 1))
        fine = Image.new("L", ((right - left) * FINE, (low - top) * FINE), 0)
        draw, level = ImageDraw.Draw(fine), round(255 * opacity)
        for run in _dashes(line, *dash) if dash else [line]:
            draw.line([((x - left) * FINE, (y - top) * FINE) for x, y in run], level, round(width * FINE), "curve")
        mask = fine.reduce(FINE)
        if within is not None:
            mask = ImageChops.multiply(mask, within.crop((left, top, right, low)))
        self.image.paste(colour, (left, top, right, low), mask)

    def seam(self, line: str, colour: Colour, *, mirrored: bool = False, stitched: bool = True) -> None:
        """Sew along a line: a soft groove, and beside it a row of stitches."""
        for points in (path(line), mirror(path(line))) if mirrored else (path(line),):
            self.stroke(points, shade(colour, 0.5), 2.4, opacity=0.55, within=self.covered)
            if stitched:
                beside = [(x + (5 if x < WIDTH / 2 else -5), y + 4) for x, y in points]
                self.stroke(beside, shade(colour, 1.45), 1.6, opacity=0.6, dash=(9, 5), within=self.covered)

    def button(self, x: float, y: float, radius: float, colour: Colour) -> None:
        """Sew on a button with four holes."""
        for grow, dx, dy, tone, opacity in (
            (2.5, 1.5, 3, 0.25, 0.35),
            (0, 0, 0, 0.78, 1),
            (-1.6, -0.4, -0.8, 1.12, 1),
            (-radius * 0.34, 0, 0, 0.94, 1),
        ):
            self._disc(x + dx, y + dy, radius + grow, shade(colour, tone), opacity)
        for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
            self._disc(x + dx * radius * 0.24, y + dy * radius * 0.24, radius * 0.13, shade(colour, 0.35), 1)

    def ribs(self, outline: Sequence[Point], colour: Colour, step: float, *, slant: float = 0) -> None:
        """Knit fine vertical ribs into the area of an outline."""
        mask = self._whole(self._mask(outline, box := _around(outline)), box)
        left, right = min(x for x, _ in outline), max(x for x, _ in outline)
        top, low = min(y for _, y in outline), max(y for _, y in outline)
        at = left - abs(slant)
        while at < right + abs(slant):
            for shift, tone in ((0, 0.62), (step * 0.45, 1.2)):
                line = [(at + shift, top), (at + shift + slant, low)]
                self.stroke(line, shade(colour, tone), step * 0.28, opacity=0.5, within=mask)
            at += step

    def _disc(self, x: float, y: float, radius: float, colour: Colour, opacity: float) -> None:
        box = (
            math.floor(x - radius - 1),
            math.floor(y - radius - 1),
            math.ceil(x + radius + 1),
            math.ceil(y + radius + 1),
        )
        fine = Image.new("L", ((box[2] - box[0]) * 4, (box[3] - box[1]) * 4), 0)
        centre_x, centre_y, r = (x - box[0]) * 4, (y - box[1]) * 4, radius * 4
        ImageDraw.Draw(fine).ellipse((centre_x - r, centre_y - r, centre_x + r, centre_y + r), round(255 * opacity))
        self.image.paste(colour, box, fine.reduce(4))

    def _mask(self, outline: Sequence[Point], box: Box) -> Image.Image:
        """Return the smooth-edged mask of an outline, as far as it lies in ``box``."""
        left, top, right, low = box
        fine = Image.new("L", ((right - left) * FINE, (low - top) * FINE), 0)
        ImageDraw.Draw(fine).polygon([((x - left) * FINE, (y - top) * FINE) for x, y in outline], fill=255)
        return fine.reduce(FINE)

    def _whole(self, mask: Image.Image, box: Box) -> Image.Image:
        """Return the mask of a part as one of the whole picture."""
        whole_mask = Image.new("L", self.image.size, 0)
        whole_mask.paste(mask, box)
        return whole_mask

    def _cast_shadow(self, mask: Image.Image, box: Box, strength: float) -> None:
        """Darken the cloth below a piece; never the white around it, which must stay white to be cut away."""
        soft = _blur(_shift(mask, 0, 7), 11)
        on_cloth = ImageChops.multiply(soft, self.covered.crop(box)).point(lambda level: round(level * strength))
        self.image.paste((24, 20, 26), box, on_cloth)

    def _light(self, cloth: Image.Image, mask: Image.Image, depth: float, volume: int) -> Image.Image:
        """Round a piece off: edges fall dark, the upper left catches light."""
        inner = _blur(mask, volume)
        rim = inner.point(lambda level: round(255 * (1 - depth * (1 - level / 255) ** 1.15)))
        cloth = ImageChops.multiply(cloth, Image.merge("RGB", [rim] * 3))
        lit = ImageChops.subtract(_shift(inner, -26, -34), _shift(inner, 26, 34))
        glow = lit.point(lambda level: round(level * 0.26))
        return ImageChops.screen(cloth, Image.merge("RGB", [glow] * 3))

    def _fold(self, cloth: Image.Image, line: Sequence[Point], *, light: bool) -> None:
        """Crease the cloth: drawn small, since it is soft anyway."""
        small = Image.new("L", (cloth.width // 2, cloth.height // 2), 0)
        draw = ImageDraw.Draw(small)
        last = len(line) - 1
        for place, ((x0, y0), (x1, y1)) in enumerate(pairwise(line)):
            thick = 3 + 9 * math.sin(math.pi * (place + 0.5) / last)
            draw.line((x0 / 2, y0 / 2, x1 / 2, y1 / 2), fill=255, width=round(thick))
        soft = small.filter(ImageFilter.GaussianBlur(7)).resize(cloth.size, Image.Resampling.BILINEAR)
        strength = 0.13 if light else 0.24
        cloth.paste((255, 255, 255) if light else (18, 14, 20), mask=soft.point(lambda level: round(level * strength)))

    def _grain(self) -> Image.Image:
        """Return a woven grain, near white, to be multiplied in."""
        tile = Image.frombytes("L", (150, 150), self.random.randbytes(150 * 150))
        tile = tile.filter(ImageFilter.GaussianBlur(0.7)).point(lambda level: 242 + round((level - 128) * 0.12))
        grain = Image.new("L", self.image.size)
        for x in range(0, WIDTH, 150):
            for y in range(0, HEIGHT, 150):
                grain.paste(tile, (x, y))
        return Image.merge("RGB", [grain] * 3)


def stripes(
    colour: Colour, step: float, thick: float, *, start: float = 0, bend: float = 0, slope: float = 0
) -> Pattern:
    """Return a pattern of horizontal stripes that sag by ``bend`` at the middle and fall towards it by ``slope``."""

    def draw(cloth: Image.Image) -> None:
        fine = Image.new("L", (WIDTH, HEIGHT * 8), 0)
        pen, y = ImageDraw.Draw(fine), start
        edge = [
            (x, bend * (1 - ((x - 450) / 300) ** 2) + slope * (300 - abs(x - 450))) for x in range(0, WIDTH + 1, 10)
        ]
        while y < HEIGHT:
            upper, lower = ([(x, (y + dy + more) * 8) for x, dy in edge] for more in (0, thick))
            pen.polygon(upper + lower[::-1], fill=255)
            y += step
        cloth.paste(colour, mask=fine.reduce((1, 8)))

    return draw


def dots(colour: Colour, step: float, radius: float) -> Pattern:
    """Return a pattern of dots in staggered rows."""

    def draw(cloth: Image.Image) -> None:
        fine = Image.new("L", (WIDTH * 3, HEIGHT * 3), 0)
        pen, r = ImageDraw.Draw(fine), radius * 3
        for row in range(int(HEIGHT / step) + 1):
            for column in range(int(WIDTH / step) + 2):
                x, y = (column + (row % 2) / 2) * step * 3, row * step * 3
                pen.ellipse((x - r, y - r, x + r, y + r), 255)
        cloth.paste(colour, mask=fine.reduce(3))

    return draw


def checks(colour: Colour, step: float, thick: float, opacity: float) -> Pattern:
    """Return a pattern of crossing lines, as on a flannel shirt."""

    def draw(cloth: Image.Image) -> None:
        mask = Image.new("L", cloth.size, 0)
        for across in (True, False):
            lines = Image.new("L", cloth.size, 0)
            pen, at = ImageDraw.Draw(lines), step / 2
            while at < HEIGHT:
                box = (at, 0, at + thick, HEIGHT) if across else (0, at, WIDTH, at + thick)
                pen.rectangle(box, fill=round(255 * opacity))
                at += step
            mask = ImageChops.add(mask, lines)
        cloth.paste(colour, mask=mask)

    return draw


def _around(outline: Sequence[Point], margin: int = 4) -> Box:
    """Return the part of the picture that an outline and what it casts need, in multiples of four."""
    left, top = ((math.floor(min(p[i] for p in outline)) - margin) // 4 * 4 for i in (0, 1))
    right, low = (-(-(math.ceil(max(p[i] for p in outline)) + margin) // 4) * 4 for i in (0, 1))
    return max(left, 0), max(top, 0), min(right, WIDTH), min(low, HEIGHT)


def _blur(mask: Image.Image, radius: float) -> Image.Image:
    """Blur generously: in a quarter of the size, which the eye cannot tell and which is sixteen times as quick."""
    small = mask.reduce(4).filter(ImageFilter.GaussianBlur(radius / 4))
    return small.resize(mask.size, Image.Resampling.BILINEAR)


def _shift(mask: Image.Image, dx: int, dy: int) -> Image.Image:
    return mask.transform(mask.size, Image.Transform.AFFINE, (1, 0, -dx, 0, 1, -dy), Image.Resampling.NEAREST)


def _dashes(line: Sequence[Point], length: float, gap: float) -> Iterable[list[Point]]:
    run, walked, drawing = [line[0]], 0.0, True
    for (x0, y0), (x1, y1) in pairwise(line):
        span, done = math.hypot(x1 - x0, y1 - y0), 0.0
        while span - done > (rest := (length if drawing else gap) - walked):
            done, walked = done + rest, 0.0
            here = (x0 + (x1 - x0) * done / span, y0 + (y1 - y0) * done / span)
            if drawing:
                yield [*run, here]
            run, drawing = [here], not drawing
        walked += span - done
        run.append((x1, y1))
    if drawing and len(run) > 1:
        yield run
