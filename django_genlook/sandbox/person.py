"""Guesses where the person's face is in a photo, from the colour of skin."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageChops

GRID = 40


@dataclass(frozen=True)
class Face:
    """A face's box in pixels of the photo."""

    center_x: float
    top: float
    width: float
    height: float

    @property
    def bottom(self) -> float:
        return self.top + self.height


def find_face(image: Image.Image) -> Face:
    """Give the most likely face; without any skin in sight, where a waist-up portrait has it."""
    width, height = image.size
    columns = GRID if width <= height else max(1, round(GRID * width / height))
    rows = GRID if height <= width else max(1, round(GRID * height / width))
    columns, rows = min(columns, 4 * GRID), min(rows, 4 * GRID)
    sums = _summed(_skin(image, columns, rows))
    best, best_score = None, 0.0
    for box_width in range(3, max(4, columns // 2)):
        box_height = round(box_width * 1.25)
        margin = max(1, box_width // 3)
        for top in range(max(1, int(rows * 0.6) - box_height)):
            for left in range(columns - box_width + 1):
                inside = _sum(sums, left, top, left + box_width, top + box_height)
                if inside < 0.45 * box_width * box_height:
                    continue
                # Above and beside a face there is hair or background; below it a neck, so that side does not count.
                around = _sum(sums, left - margin, top - margin, left + box_width + margin, top + box_height) - inside
                off_center = abs((left + box_width / 2) / columns - 0.5)
                score = (inside - 1.2 * around) * (1.0 - off_center) * (1.0 - 0.5 * top / rows)
                if score > best_score:
                    best, best_score = (left, top, box_width, box_height), score
    if best is None:
        return Face(center_x=width * 0.5, top=height * 0.12, width=width * 0.2, height=width * 0.25)
    left, top, box_width, box_height = best
    x_scale, y_scale = width / columns, height / rows
    return Face((left + box_width / 2) * x_scale, top * y_scale, box_width * x_scale, box_height * y_scale)


def _skin(image: Image.Image, columns: int, rows: int) -> list[list[float]]:
    small = image.convert("RGB").resize((columns * 4, rows * 4), Image.Resampling.BOX).convert("YCbCr")
    luma, blue, red = (small.getchannel(band) for band in ("Y", "Cb", "Cr"))
    mask = luma.point([255 if 70 <= value <= 245 else 0 for value in range(256)])
    mask = ImageChops.multiply(mask, blue.point([255 if 85 <= value <= 125 else 0 for value in range(256)]))
    mask = ImageChops.multiply(mask, red.point([255 if 136 <= value <= 172 else 0 for value in range(256)]))
    cells = mask.resize((columns, rows), Image.Resampling.BOX).tobytes()
    return [[value / 255 for value in cells[row * columns : (row + 1) * columns]] for row in range(rows)]


def _summed(cells: list[list[float]]) -> list[list[float]]:
    table = [[0.0] * (len(cells[0]) + 1)]
    for row in cells:
        line, running = [0.0], 0.0
        for column, value in enumerate(row):
            running += value
            line.append(running + table[-1][column + 1])
        table.append(line)
    return table


def _sum(table: list[list[float]], left: int, top: int, right: int, bottom: int) -> float:
    rows, columns = len(table) - 1, len(table[0]) - 1
    left, right = max(0, left), min(columns, right)
    top, bottom = max(0, top), min(rows, bottom)
    return table[bottom][right] - table[top][right] - table[bottom][left] + table[top][left]
