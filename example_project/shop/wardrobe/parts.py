"""What several garments have in common: cuts, folds, notions."""

from collections.abc import Sequence

from example_project.shop.drawing import Colour, Pattern, Point, Studio, mirror, path, shade, whole

SHORT_SLEEVE = (
    "250 204 C 208 218 178 242 156 288 C 128 344 106 402 86 456 C 124 492 176 516"
    " 226 524 C 240 470 262 400 262 330 L 300 330 L 300 196"
)
LONG_SLEEVE = (
    "250 204 C 206 220 178 256 164 318 C 140 440 118 620 100 838 C 124 850 148 856"
    " 174 858 C 196 720 232 560 262 420 L 304 380 L 304 196"
)
TOP_FOLDS = (
    "300 420 C 340 560 330 700 300 860", "362 330 C 382 500 374 640 356 800",
    "600 420 C 566 580 574 720 610 880", "530 340 C 520 500 524 660 540 820",
)  # fmt: skip
SLEEVE_FOLDS = ("214 300 C 196 380 190 420 204 480", "186 430 C 168 520 160 600 150 700")
GOLD, HORN, PEARL = (205, 160, 84), (92, 66, 48), (222, 208, 184)


def inside(studio: Studio, half: str, colour: Colour) -> None:
    """The back of a garment as seen through its neck."""
    studio.piece(whole(half), shade(colour, 0.5), depth=0.5, volume=30, shadow=0)


def sleeves(
    studio: Studio, outline: str, colour: Colour, pattern: Pattern | None = None, folds: Sequence[str] = (),
    *, depth: float = 0.38, volume: int = 38,
) -> None:  # fmt: skip
    studio.piece(path(outline), colour, pattern=pattern, folds=folds, depth=depth, volume=volume, shadow=0.2)
    turned = [" ".join(_flip(fold)) for fold in folds]
    studio.piece(mirror(path(outline)), colour, pattern=pattern, folds=turned, depth=depth, volume=volume, shadow=0.2)


def cuffs(studio: Studio, outline: str, colour: Colour, *, ribbed: bool = False) -> None:
    for points in (path(outline), mirror(path(outline))):
        studio.piece(points, colour, depth=0.26, volume=12)
        if ribbed:
            studio.ribs(points, colour, 8)


def neckband(studio: Studio, half: str, colour: Colour) -> None:
    studio.piece(whole(half), colour, depth=0.16, volume=8, shadow=0.24)


def collar(studio: Studio, colour: Colour, *, lift: float = 0, scale: float = 1, thread: Colour | None = None) -> None:
    """The two leaves of a shirt collar, and the stand behind them."""

    def placed(points: Sequence[Point]) -> list[Point]:
        return [(450 + (x - 450) * scale, y * scale + lift) for x, y in points]

    stand = whole("450 166 C 410 166 376 158 356 140 C 352 150 352 160 356 172 C 382 192 414 202 450 204")
    studio.piece(placed(stand), shade(colour, 0.82), depth=0.2, volume=10, shadow=0)
    leaf = path(
        "354 138 C 336 170 326 214 322 276 C 352 290 380 302 402 304 C 414 280 430 266"
        " 450 258 C 404 232 372 190 354 138"
    )
    for points in (leaf, mirror(leaf)):
        studio.piece(placed(points), colour, depth=0.18, volume=14, shadow=0.34)
    edge = path("333 184 C 329 214 328 240 328 270 C 354 282 380 294 400 296 C 410 276 424 266 440 258")
    for points in (edge, mirror(edge)):
        studio.stroke(placed(points), thread or shade(colour, 1.45), 1.6, dash=(8, 5), opacity=0.75)


def stitched(studio: Studio, line: str, colour: Colour, thread: Colour) -> None:
    for points in (path(line), mirror(path(line))):
        studio.stroke(points, shade(colour, 0.5), 2.6, opacity=0.6, within=studio.covered)
        for beside in (5, 10):
            shifted = [(x + (beside if x < 450 else -beside), y) for x, y in points]
            studio.stroke(shifted, thread, 1.6, dash=(8, 4), opacity=0.85, within=studio.covered)


def _flip(fold: str) -> list[str]:
    words, across = [], True
    for word in fold.split():
        if word == "C":
            words.append(word)
            continue
        words.append(str(900 - float(word)) if across else word)
        across = not across
    return words
