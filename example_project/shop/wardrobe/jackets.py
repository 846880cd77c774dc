"""The jackets of the example shop."""

from PIL import Image

from example_project.shop.drawing import Studio, checks, mirror, path, shade, whole
from example_project.shop.wardrobe.parts import (
    GOLD,
    HORN,
    LONG_SLEEVE,
    SLEEVE_FOLDS,
    TOP_FOLDS,
    collar,
    cuffs,
    inside,
    sleeves,
    stitched,
)


def denim_jacket() -> Image.Image:
    """A short jacket of blue denim."""
    studio, denim, thread = Studio(8), (78, 112, 156), (216, 156, 88)
    inside(studio, "450 176 C 410 176 376 166 356 146 C 366 200 404 262 450 330", denim)
    sleeves(studio, LONG_SLEEVE, denim, None, SLEEVE_FOLDS, depth=0.42)
    for line in ("238 250 C 218 420 190 620 164 846",):
        stitched(studio, line, denim, thread)
    cuffs(studio, "94 832 C 122 848 150 854 180 854 L 174 912 C 146 912 114 906 88 896", denim)
    body = whole(
        "450 296 C 410 262 372 214 350 156 C 312 178 272 192 240 208 C 266 290 268 390"
        " 250 470 C 262 580 268 700 270 800 L 450 812"
    )
    studio.piece(body, denim, folds=TOP_FOLDS, depth=0.44)
    for line in (
        "252 384 C 320 392 380 396 428 396",
        "338 400 C 350 540 364 680 372 800",
        "412 400 C 404 540 396 680 390 800",
    ):
        stitched(studio, line, denim, thread)
    band = whole("450 800 L 266 788 L 266 856 L 450 870")
    studio.piece(band, denim, depth=0.24, volume=12)
    for line in ("270 798 L 450 812", "270 848 L 450 860"):
        studio.stroke([*path(line)], thread, 1.7, dash=(8, 4), opacity=0.9, within=studio.covered)
        studio.stroke(mirror(path(line)), thread, 1.7, dash=(8, 4), opacity=0.9, within=studio.covered)
    flap = path("300 392 L 408 398 L 408 434 L 354 462 L 302 430")
    for outline in (flap, mirror(flap)):
        studio.piece(outline, denim, depth=0.2, volume=10)
        inner = [(x + (354 - x) * 0.1 if x < 450 else x + (546 - x) * 0.1, y + (424 - y) * 0.1) for x, y in outline]
        studio.stroke([*inner, inner[0]], thread, 1.7, dash=(8, 4), opacity=0.9)
        studio.button(sum(x for x, _ in outline) / 5, 440, 6.5, GOLD)
    studio.piece(path("428 268 L 472 268 L 472 868 L 428 868"), denim, depth=0.18, volume=10, shadow=0.24)
    for x in (435, 465):
        studio.stroke(path(f"{x} 290 {x} 862"), thread, 1.7, dash=(8, 4), opacity=0.9)
    for y in (330, 424, 518, 612, 706, 830):
        studio.button(450, y, 9.5, GOLD)
    collar(studio, denim, thread=thread)
    return studio.image


def bomber() -> Image.Image:
    """A bomber jacket with ribbed edges."""
    studio, wine = Studio(9), (112, 44, 58)
    rib = shade(wine, 0.72)
    inside(studio, "450 160 C 410 160 380 150 360 134 C 366 200 404 256 450 306", wine)
    sleeves(studio, LONG_SLEEVE, wine, None, (*SLEEVE_FOLDS, "228 360 C 216 460 206 540 196 640"), depth=0.4)
    cuffs(studio, "96 830 C 124 846 150 852 180 852 L 168 924 C 148 924 124 918 104 908", rib, ribbed=True)
    body = whole(
        "450 276 C 410 246 372 206 348 152 C 312 176 272 192 240 208 C 266 290 268 390"
        " 246 470 C 244 600 246 740 250 852 L 450 864"
    )
    studio.piece(body, wine, folds=TOP_FOLDS, depth=0.42)
    hem = whole("450 856 L 248 844 L 264 926 C 320 936 390 940 450 940")
    studio.piece(hem, rib, depth=0.2, volume=14)
    studio.ribs(hem, rib, 9)
    for line in ("318 620 L 366 742",):
        for points in (path(line), mirror(path(line))):
            studio.stroke(points, shade(wine, 0.45), 15)
            studio.stroke(points, shade(wine, 1.12), 11, within=studio.covered)
            studio.stroke(points, shade(wine, 0.4), 2.4)
    zip_line = path("450 262 L 450 940")
    studio.stroke(zip_line, shade(wine, 0.45), 17)
    studio.stroke(zip_line, GOLD, 8, dash=(3, 2.4))
    studio.stroke(path("450 300 L 450 336"), GOLD, 9)
    band = whole("450 300 C 390 268 344 216 330 150 L 362 128 C 374 186 410 232 450 258")
    studio.piece(band, rib, depth=0.24, volume=12)
    studio.ribs(band, rib, 9)
    studio.stroke(path("450 256 L 450 300"), shade(wine, 0.3), 3)
    return studio.image


def camel_blazer() -> Image.Image:
    """A long blazer with lapels."""
    studio, camel = Studio(10), (186, 140, 92)
    inside(studio, "450 170 C 410 170 380 160 360 138 C 352 260 390 440 450 620", camel)
    sleeves(studio, LONG_SLEEVE, camel, checks(shade(camel, 0.8), 42, 2, 0.35), SLEEVE_FOLDS)
    for x, y in ((150, 838), (153, 812), (156, 786)):
        studio.button(x + 14, y, 6, HORN)
        studio.button(900 - x - 14, y, 6, HORN)
    plaid = checks(shade(camel, 0.8), 42, 2, 0.35)
    front = (
        "356 146 C 316 172 272 190 240 206 C 266 290 270 390 256 470 C 268 580 258 760"
        " 240 960 C 300 996 380 1004 474 990 C 480 860 478 720 476 600 C 430 500 376 330"
        " 356 146"
    )
    studio.piece(
        mirror(path(front)),
        camel,
        pattern=plaid,
        folds=["590 420 C 566 560 574 720 610 900", "540 640 C 532 740 530 840 540 940"],
    )
    studio.piece(
        path(front),
        camel,
        pattern=plaid,
        folds=["310 420 C 340 560 330 720 296 900", "380 620 C 390 740 388 840 372 940"],
    )
    for side in (path("296 700 L 402 706 L 400 742 L 294 734"),):
        for outline in (side, mirror(side)):
            studio.piece(outline, camel, pattern=plaid, depth=0.2, volume=8)
    studio.stroke(path("528 424 L 606 414"), shade(camel, 0.5), 9, opacity=0.7)
    lapel = "352 168 C 330 220 312 290 304 356 L 356 372 L 334 412 C 372 490 424 560 472 610 C 440 480 398 330 376 214"
    studio.piece(mirror(path(lapel)), camel, depth=0.24, volume=16)
    studio.piece(path(lapel), camel, depth=0.24, volume=16)
    stand = whole("450 150 C 412 150 380 140 362 118 C 352 128 346 146 350 168 C 376 188 412 198 450 198")
    studio.piece(stand, shade(camel, 0.84), depth=0.2, volume=10, shadow=0)
    revers = path("362 118 C 342 166 320 226 306 300 L 356 326 C 364 280 372 240 384 206 C 372 180 364 150 362 118")
    for outline in (mirror(revers), revers):
        studio.piece(outline, camel, depth=0.2, volume=14, shadow=0.34)
    for y in (640, 750):
        studio.button(452, y, 12, HORN)
    return studio.image
