"""The tops of the example shop."""

from PIL import Image

from example_project.shop.drawing import Colour, Studio, mirror, path, shade, stripes, whole
from example_project.shop.wardrobe.parts import (
    GOLD,
    LONG_SLEEVE,
    PEARL,
    SHORT_SLEEVE,
    SLEEVE_FOLDS,
    TOP_FOLDS,
    collar,
    cuffs,
    inside,
    neckband,
    sleeves,
)


def striped_tee() -> Image.Image:
    """A Breton tee."""
    studio, navy, ecru = Studio(1), (42, 58, 98), (222, 203, 166)
    inside(studio, "450 184 C 400 182 372 172 350 154 C 366 210 400 256 450 262", navy)
    sleeves(studio, SHORT_SLEEVE, navy, stripes(ecru, 44, 14, start=222, slope=0.40), volume=30)
    studio.seam("92 444 C 130 480 180 504 230 510", navy, mirrored=True)
    body = whole(
        "450 250 C 396 248 360 210 344 156 C 308 178 268 194 238 210 C 264 290 264 390 246 470"
        " C 258 620 254 800 240 946 C 300 966 380 972 450 972"
    )
    studio.piece(body, navy, pattern=stripes(ecru, 44, 14, start=300, bend=9), folds=TOP_FOLDS)
    studio.seam("246 930 C 310 948 380 954 450 954", navy, mirrored=True)
    neckband(studio, "450 252 C 396 250 360 212 342 158 L 356 150 C 372 200 404 234 450 236", navy)
    return studio.image


def linen_shirt() -> Image.Image:
    """A shirt with a collar, a placket and a pocket."""
    studio, clay = Studio(2), (196, 104, 74)
    inside(studio, "450 176 C 410 176 376 166 356 146 C 366 200 404 262 450 330", clay)
    sleeves(studio, LONG_SLEEVE, clay, None, SLEEVE_FOLDS)
    cuffs(studio, "96 838 C 122 852 150 858 178 858 L 172 916 C 146 916 116 910 90 898", clay)
    body = whole(
        "450 296 C 410 262 372 214 350 156 C 312 178 272 192 240 208 C 266 290 268 390 252 470"
        " C 266 600 262 780 250 900 C 290 950 370 984 450 984"
    )
    studio.piece(body, clay, folds=TOP_FOLDS)
    studio.piece(path("428 268 L 472 268 L 472 982 L 428 982"), clay, depth=0.16, volume=10, shadow=0.22)
    for x in (436, 464):
        studio.stroke(path(f"{x} 290 {x} 978"), shade(clay, 1.4), 1.5, dash=(8, 5), opacity=0.6)
    for y in range(330, 960, 104):
        studio.button(450, y, 9, PEARL)
    studio.piece(path("518 408 L 616 402 L 616 500 L 570 524 L 522 506"), clay, depth=0.16, volume=12, shadow=0.26)
    studio.stroke(path("526 424 L 608 419"), shade(clay, 1.4), 1.5, dash=(8, 5), opacity=0.6)
    collar(studio, clay)
    return studio.image


def hoodie() -> Image.Image:
    """A hooded sweatshirt."""
    studio, moss = Studio(3), (74, 104, 84)
    hood = whole("450 74 C 380 72 322 100 318 168 C 320 210 346 250 380 276 C 400 290 430 300 450 304")
    studio.piece(hood, moss, depth=0.3, shadow=0)
    inside(studio, "450 112 C 400 110 364 134 366 178 C 362 236 372 300 400 330 L 450 352", moss)
    sleeves(studio, LONG_SLEEVE, moss, None, SLEEVE_FOLDS)
    cuffs(studio, "98 832 C 124 848 150 854 178 854 L 168 920 C 148 920 122 914 102 904", moss, ribbed=True)
    body = whole(
        "450 330 C 400 310 350 270 326 170 C 300 186 268 198 240 210 C 266 290 268 390 250 470"
        " C 258 620 254 780 246 900 L 450 920"
    )
    studio.piece(body, moss, folds=TOP_FOLDS)
    hem = whole("450 912 L 246 894 L 258 968 C 320 980 390 984 450 984")
    studio.piece(hem, moss, depth=0.2, volume=14)
    studio.ribs(hem, moss, 9)
    pocket = whole("450 668 L 352 668 C 336 730 312 780 292 806 L 296 880 L 450 892")
    studio.piece(pocket, moss, depth=0.14, volume=14)
    studio.seam("360 674 C 344 734 320 784 300 812", moss, mirrored=True)
    for side in (path("450 318 C 404 296 352 256 330 150 C 348 120 352 118 372 112 C 362 180 396 246 450 290"),):
        studio.piece(side, moss, depth=0.22, volume=16)
        studio.piece(mirror(side), moss, depth=0.22, volume=16)
    for cord in ("408 282 C 402 340 408 400 402 470", "492 282 C 500 350 490 400 496 450"):
        studio.stroke(path(cord), shade(moss, 0.4), 9, opacity=0.35)
        studio.stroke(path(cord), shade(moss, 1.62), 6)
        studio.stroke(path(cord)[-3:], GOLD, 7)
    for x in (408, 492):
        studio.button(x, 280, 6, GOLD)
    return studio.image


def cable_knit() -> Image.Image:
    """A thick jumper with cables."""
    studio, honey = Studio(4), (206, 150, 62)
    inside(studio, "450 178 C 400 176 370 166 352 150 C 360 196 396 244 450 256", honey)
    sleeves(studio, LONG_SLEEVE, honey, None, SLEEVE_FOLDS)
    for outline in (path(LONG_SLEEVE), mirror(path(LONG_SLEEVE))):
        studio.ribs(outline, honey, 17, slant=-80 if outline[0][0] < 450 else 80)
    cuffs(studio, "92 826 C 120 844 150 850 182 850 L 172 924 C 148 924 118 918 96 908", honey, ribbed=True)
    body = whole(
        "450 240 C 396 236 358 206 338 156 C 304 176 268 192 240 208 C 264 290 266 390 248 470"
        " C 254 620 250 780 244 892 L 450 910"
    )
    studio.piece(body, honey, depth=0.42, folds=TOP_FOLDS[:2])
    studio.ribs(body, honey, 19)
    for x in (346, 450, 554):
        _cable(studio, x, honey)
    hem = whole("450 900 L 242 882 L 252 962 C 320 976 390 980 450 980")
    studio.piece(hem, honey, depth=0.2, volume=14)
    studio.ribs(hem, honey, 10)
    band = whole("450 262 C 384 258 342 222 322 160 L 352 146 C 366 190 400 220 450 224")
    studio.piece(band, honey, depth=0.22, volume=12)
    studio.ribs(band, honey, 9)
    return studio.image


def _cable(studio: Studio, x: float, colour: Colour) -> None:
    """Two strands that cross all the way down."""
    for number, y in enumerate(range(280, 880, 44)):
        side = 1 if number % 2 else -1
        for turn, tone in ((-side, 1.14), (side, 1.02)):
            strand = path(
                f"{x - 13 * turn} {y} C {x - 13 * turn} {y + 22} {x + 13 * turn} {y + 22} {x + 13 * turn} {y + 44}"
            )
            studio.stroke(strand, shade(colour, 0.55), 21, opacity=0.5, within=studio.covered)
            studio.stroke(strand, shade(colour, tone), 15, within=studio.covered)
            studio.stroke(strand, shade(colour, 1.34), 4, opacity=0.5, within=studio.covered)
