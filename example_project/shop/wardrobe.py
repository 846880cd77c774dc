"""The ten garments of the example shop, each drawn as a flat-lay picture."""

from collections.abc import Callable, Mapping, Sequence

from PIL import Image

from example_project.shop.drawing import Colour, Pattern, Point, Studio, checks, dots, mirror, path, shade, stripes, whole

SHORT_SLEEVE = (
    "250 204 C 208 218 178 242 156 288 C 128 344 106 402 86 456 C 124 492 176 516 226 524 C 240 470 262 400 262 330 L 300 330 L 300 196"
)
LONG_SLEEVE = (
    "250 204 C 206 220 178 256 164 318 C 140 440 118 620 100 838 C 124 850 148 856 174 858 C 196 720 232 560 262 420 L 304 380 L 304 196"
)
TOP_FOLDS = (
    "300 420 C 340 560 330 700 300 860", "362 330 C 382 500 374 640 356 800",
    "600 420 C 566 580 574 720 610 880", "530 340 C 520 500 524 660 540 820",
)  # fmt: skip
SLEEVE_FOLDS = ("214 300 C 196 380 190 420 204 480", "186 430 C 168 520 160 600 150 700")
GOLD, HORN, PEARL = (205, 160, 84), (92, 66, 48), (222, 208, 184)


def striped_tee() -> Image.Image:
    """A Breton tee."""
    studio, navy, ecru = Studio(1), (42, 58, 98), (222, 203, 166)
    _inside(studio, "450 184 C 400 182 372 172 350 154 C 366 210 400 256 450 262", navy)
    _sleeves(studio, SHORT_SLEEVE, navy, stripes(ecru, 44, 14, start=222, slope=0.40), volume=30)
    studio.seam("92 444 C 130 480 180 504 230 510", navy, mirrored=True)
    body = whole(
        "450 250 C 396 248 360 210 344 156 C 308 178 268 194 238 210 C 264 290 264 390 246 470"
        " C 258 620 254 800 240 946 C 300 966 380 972 450 972"
    )
    studio.piece(body, navy, pattern=stripes(ecru, 44, 14, start=300, bend=9), folds=TOP_FOLDS)
    studio.seam("246 930 C 310 948 380 954 450 954", navy, mirrored=True)
    _neckband(studio, "450 252 C 396 250 360 212 342 158 L 356 150 C 372 200 404 234 450 236", navy)
    return studio.finish()


def linen_shirt() -> Image.Image:
    """A shirt with a collar, a placket and a pocket."""
    studio, clay = Studio(2), (196, 104, 74)
    _inside(studio, "450 176 C 410 176 376 166 356 146 C 366 200 404 262 450 330", clay)
    _sleeves(studio, LONG_SLEEVE, clay, None, SLEEVE_FOLDS)
    _cuffs(studio, "96 838 C 122 852 150 858 178 858 L 172 916 C 146 916 116 910 90 898", clay)
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
    _collar(studio, clay)
    return studio.finish()


def hoodie() -> Image.Image:
    """A hooded sweatshirt."""
    studio, moss = Studio(3), (74, 104, 84)
    hood = whole("450 74 C 380 72 322 100 318 168 C 320 210 346 250 380 276 C 400 290 430 300 450 304")
    studio.piece(hood, moss, depth=0.3, shadow=0)
    _inside(studio, "450 112 C 400 110 364 134 366 178 C 362 236 372 300 400 330 L 450 352", moss)
    _sleeves(studio, LONG_SLEEVE, moss, None, SLEEVE_FOLDS)
    _cuffs(studio, "98 832 C 124 848 150 854 178 854 L 168 920 C 148 920 122 914 102 904", moss, ribbed=True)
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
    return studio.finish()


def cable_knit() -> Image.Image:
    """A thick jumper with cables."""
    studio, honey = Studio(4), (206, 150, 62)
    _inside(studio, "450 178 C 400 176 370 166 352 150 C 360 196 396 244 450 256", honey)
    _sleeves(studio, LONG_SLEEVE, honey, None, SLEEVE_FOLDS)
    for outline in (path(LONG_SLEEVE), mirror(path(LONG_SLEEVE))):
        studio.ribs(outline, honey, 17, slant=-80 if outline[0][0] < 450 else 80)
    _cuffs(studio, "92 826 C 120 844 150 850 182 850 L 172 924 C 148 924 118 918 96 908", honey, ribbed=True)
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
    return studio.finish()


def poppy_dress() -> Image.Image:
    """A summer dress with dots and a wide skirt."""
    studio, poppy, cream = Studio(5), (200, 52, 48), (240, 214, 186)
    pattern = dots(cream, 34, 5.4)
    _inside(studio, "450 150 C 420 150 384 140 362 120 C 364 200 404 266 450 312", poppy)
    _sleeves(
        studio, "300 148 C 258 160 222 190 200 236 C 190 262 184 286 182 308 C 220 330 262 336 302 330 L 330 320 L 330 150", poppy, pattern,
        ("262 186 C 240 230 232 270 230 318",), volume=24,
    )  # fmt: skip
    skirt = whole("450 512 L 322 506 C 290 620 230 800 158 972 C 250 1010 350 1024 450 1024")
    folds = (
        "352 530 C 330 680 290 840 246 980", "388 530 C 372 680 350 840 330 1000", "430 530 C 424 700 420 860 412 1010",
        "470 530 C 478 700 486 860 500 1010", "520 530 C 536 690 560 850 590 1000", "556 530 C 582 690 622 840 670 970",
    )  # fmt: skip
    studio.piece(skirt, poppy, pattern=pattern, folds=folds, shadow=0)
    bodice = whole(
        "450 292 C 408 250 372 190 360 122 C 340 132 316 140 296 148 C 306 220 306 280 298 330 C 312 400 318 450 320 512 L 450 518"
    )
    studio.piece(bodice, poppy, pattern=pattern, folds=["352 250 C 370 340 372 420 366 500", "560 260 C 540 340 536 420 540 500"])
    studio.piece(whole("450 496 L 319 490 L 320 528 L 450 534"), shade(poppy, 0.82), depth=0.2, volume=8)
    studio.stroke(path("360 124 C 374 192 410 252 450 294"), shade(poppy, 0.6), 6, within=studio.covered)
    studio.stroke(mirror(path("360 124 C 374 192 410 252 450 294")), shade(poppy, 0.6), 6, within=studio.covered)
    for y in (330, 376, 422, 468):
        studio.button(450, y, 7, cream)
    return studio.finish()


def wrap_dress() -> Image.Image:
    """A wrap dress tied at the waist."""
    studio, night = Studio(6), (40, 62, 84)
    _inside(studio, "450 140 C 420 140 386 132 364 114 C 356 200 400 310 450 420", night)
    sleeve = "298 146 C 256 160 228 190 214 244 C 196 340 178 440 164 548 C 190 562 222 566 250 562 C 270 470 292 390 304 330 L 340 330 L 330 150"
    _sleeves(studio, sleeve, night, None, ("250 220 C 234 300 226 380 214 470", "226 330 C 214 420 206 480 200 540"))
    skirt = whole("450 530 L 322 522 C 300 640 262 820 226 984 C 300 1012 380 1020 450 1020")
    studio.piece(skirt, night, folds=["372 540 C 352 700 320 860 290 1000", "520 560 C 540 700 580 850 620 980"], shadow=0)
    over = path("352 524 L 578 522 C 600 640 638 820 674 984 C 600 1004 560 1014 520 1016 C 500 860 440 660 352 524")
    studio.piece(over, night, folds=["420 540 C 480 660 530 800 552 980", "500 540 C 552 680 600 820 630 980"], volume=30)
    right = path("604 146 C 580 140 560 128 540 114 C 530 200 470 320 340 470 L 330 524 L 578 526 C 580 450 590 400 602 332 C 594 280 594 220 604 146")
    left = path("296 146 C 320 140 340 128 360 114 C 372 210 420 310 500 400 L 500 526 L 322 526 C 320 450 310 400 298 332 C 306 280 306 220 296 146")
    studio.piece(left, night, folds=["340 260 C 356 350 360 430 352 510"])
    studio.piece(right, night, folds=["470 380 C 440 430 420 470 400 510", "560 260 C 548 350 546 430 552 510"], volume=34)
    studio.stroke(path("538 122 C 528 204 468 324 344 466"), shade(night, 1.3), 1.6, opacity=0.5, dash=(9, 5))
    studio.piece(whole("450 504 L 321 498 L 323 540 L 450 546"), shade(night, 0.9), depth=0.24, volume=9)
    for tail in ("356 528 C 336 600 330 680 312 770 L 346 778 C 362 690 372 610 378 532", "378 528 C 392 590 392 660 410 724 L 376 736 C 366 670 356 600 352 530"):
        studio.piece(path(tail), shade(night, 0.95), depth=0.3, volume=10)
    studio.piece(path("344 500 C 360 490 382 492 392 504 C 396 524 392 540 382 548 C 366 552 350 548 342 540 C 336 526 338 512 344 500"), night, depth=0.3, volume=10)
    return studio.finish()


def shirt_dress() -> Image.Image:
    """A belted dress with a collar and buttons all the way down."""
    studio, sage = Studio(7), (132, 156, 122)
    _inside(studio, "450 150 C 412 150 380 140 360 120 C 364 176 400 226 450 290", sage)
    sleeve = "292 156 C 252 166 224 190 206 232 C 188 282 172 330 160 378 C 192 402 232 414 270 412 C 284 360 300 320 304 296 L 340 300 L 330 160"
    _sleeves(studio, sleeve, sage, None, ("240 220 C 226 280 222 330 216 390",), volume=28)
    _cuffs(studio, "156 376 C 190 402 232 416 276 414 L 270 446 C 226 446 184 434 148 406", sage)
    body = whole(
        "450 256 C 410 222 376 176 358 126 C 334 140 310 150 288 158 C 304 220 308 280 300 340 C 312 400 318 440 320 500"
        " C 300 640 262 820 236 976 C 300 1004 380 1012 450 1012"
    )
    studio.piece(body, sage, folds=[
        "346 540 C 330 700 302 840 280 980", "384 540 C 376 700 362 840 350 990", "552 540 C 572 700 596 840 622 980",
        "512 540 C 522 700 536 840 550 990", "352 300 C 366 370 366 430 360 490", "560 300 C 540 370 538 430 544 490",
    ])  # fmt: skip
    studio.piece(path("430 232 L 470 232 L 474 1010 L 426 1010"), sage, depth=0.16, volume=10, shadow=0.2)
    for y in range(292, 980, 76):
        studio.button(450, y, 8, HORN)
    studio.piece(whole("450 496 L 316 488 L 318 528 L 450 536"), (122, 84, 56), depth=0.26, volume=9)
    studio.stroke(path("424 490 L 478 490 L 478 542 L 424 542 L 424 490"), GOLD, 6)
    studio.stroke(path("452 516 L 478 516"), GOLD, 5)
    for x in (510, 534, 558):
        studio.button(x, 514, 2.4, (60, 40, 30))
    _collar(studio, sage, lift=-32, scale=0.92)
    return studio.finish()


def denim_jacket() -> Image.Image:
    """A short jacket of blue denim."""
    studio, denim, thread = Studio(8), (78, 112, 156), (216, 156, 88)
    _inside(studio, "450 176 C 410 176 376 166 356 146 C 366 200 404 262 450 330", denim)
    _sleeves(studio, LONG_SLEEVE, denim, None, SLEEVE_FOLDS, depth=0.42)
    for line in ("238 250 C 218 420 190 620 164 846",):
        _stitched(studio, line, denim, thread)
    _cuffs(studio, "94 832 C 122 848 150 854 180 854 L 174 912 C 146 912 114 906 88 896", denim)
    body = whole(
        "450 296 C 410 262 372 214 350 156 C 312 178 272 192 240 208 C 266 290 268 390 250 470 C 262 580 268 700 270 800 L 450 812"
    )
    studio.piece(body, denim, folds=TOP_FOLDS, depth=0.44)
    for line in ("252 384 C 320 392 380 396 428 396", "338 400 C 350 540 364 680 372 800", "412 400 C 404 540 396 680 390 800"):
        _stitched(studio, line, denim, thread)
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
    _collar(studio, denim, thread=thread)
    return studio.finish()


def bomber() -> Image.Image:
    """A bomber jacket with ribbed edges."""
    studio, wine = Studio(9), (112, 44, 58)
    rib = shade(wine, 0.72)
    _inside(studio, "450 160 C 410 160 380 150 360 134 C 366 200 404 256 450 306", wine)
    _sleeves(studio, LONG_SLEEVE, wine, None, (*SLEEVE_FOLDS, "228 360 C 216 460 206 540 196 640"), depth=0.4)
    _cuffs(studio, "96 830 C 124 846 150 852 180 852 L 168 924 C 148 924 124 918 104 908", rib, ribbed=True)
    body = whole(
        "450 276 C 410 246 372 206 348 152 C 312 176 272 192 240 208 C 266 290 268 390 246 470 C 244 600 246 740 250 852 L 450 864"
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
    return studio.finish()


def camel_blazer() -> Image.Image:
    """A long blazer with lapels."""
    studio, camel = Studio(10), (186, 140, 92)
    _inside(studio, "450 170 C 410 170 380 160 360 138 C 352 260 390 440 450 620", camel)
    _sleeves(studio, LONG_SLEEVE, camel, checks(shade(camel, 0.8), 42, 2, 0.35), SLEEVE_FOLDS)
    for x, y in ((150, 838), (153, 812), (156, 786)):
        studio.button(x + 14, y, 6, HORN)
        studio.button(900 - x - 14, y, 6, HORN)
    plaid = checks(shade(camel, 0.8), 42, 2, 0.35)
    front = "356 146 C 316 172 272 190 240 206 C 266 290 270 390 256 470 C 268 580 258 760 240 960 C 300 996 380 1004 474 990 C 480 860 478 720 476 600 C 430 500 376 330 356 146"
    studio.piece(mirror(path(front)), camel, pattern=plaid, folds=["590 420 C 566 560 574 720 610 900", "540 640 C 532 740 530 840 540 940"])
    studio.piece(path(front), camel, pattern=plaid, folds=["310 420 C 340 560 330 720 296 900", "380 620 C 390 740 388 840 372 940"])
    for side in (path("296 700 L 402 706 L 400 742 L 294 734"),):
        for outline in (side, mirror(side)):
            studio.piece(outline, camel, pattern=plaid, depth=0.2, volume=8)
    studio.stroke(path("528 424 L 606 414"), shade(camel, 0.5), 9, opacity=0.7)
    lapel = "352 168 C 330 220 312 290 304 356 L 356 372 L 334 412 C 372 490 424 560 472 610 C 440 480 398 330 376 214"
    studio.piece(mirror(path(lapel)), camel, depth=0.24, volume=16)
    studio.piece(path(lapel), camel, depth=0.24, volume=16)
    stand = whole("450 150 C 412 150 380 140 362 118 C 352 128 346 146 350 168 C 376 188 412 198 450 198")
    studio.piece(stand, shade(camel, 0.84), depth=0.2, volume=10, shadow=0)
    collar = path("362 118 C 342 166 320 226 306 300 L 356 326 C 364 280 372 240 384 206 C 372 180 364 150 362 118")
    for outline in (mirror(collar), collar):
        studio.piece(outline, camel, depth=0.2, volume=14, shadow=0.34)
    for y in (640, 750):
        studio.button(452, y, 12, HORN)
    return studio.finish()


GARMENTS: Mapping[str, Callable[[], Image.Image]] = {
    "striped-tee": striped_tee, "linen-shirt": linen_shirt, "hoodie": hoodie, "cable-knit": cable_knit,
    "poppy-dress": poppy_dress, "wrap-dress": wrap_dress, "shirt-dress": shirt_dress,
    "denim-jacket": denim_jacket, "bomber": bomber, "camel-blazer": camel_blazer,
}  # fmt: skip


def _inside(studio: Studio, half: str, colour: Colour) -> None:
    """The back of a garment as seen through its neck."""
    studio.piece(whole(half), shade(colour, 0.5), depth=0.5, volume=30, shadow=0)


def _sleeves(
    studio: Studio, outline: str, colour: Colour, pattern: Pattern | None = None, folds: Sequence[str] = (),
    *, depth: float = 0.38, volume: int = 38,
) -> None:  # fmt: skip
    studio.piece(path(outline), colour, pattern=pattern, folds=folds, depth=depth, volume=volume, shadow=0.2)
    turned = [" ".join(_flip(fold)) for fold in folds]
    studio.piece(mirror(path(outline)), colour, pattern=pattern, folds=turned, depth=depth, volume=volume, shadow=0.2)


def _flip(fold: str) -> list[str]:
    words, across = [], True
    for word in fold.split():
        if word == "C":
            words.append(word)
            continue
        words.append(str(900 - float(word)) if across else word)
        across = not across
    return words


def _cuffs(studio: Studio, outline: str, colour: Colour, *, ribbed: bool = False) -> None:
    for points in (path(outline), mirror(path(outline))):
        studio.piece(points, colour, depth=0.26, volume=12)
        if ribbed:
            studio.ribs(points, colour, 8)


def _neckband(studio: Studio, half: str, colour: Colour) -> None:
    studio.piece(whole(half), colour, depth=0.16, volume=8, shadow=0.24)


def _collar(studio: Studio, colour: Colour, *, lift: float = 0, scale: float = 1, thread: Colour | None = None) -> None:
    """The two leaves of a shirt collar, and the stand behind them."""

    def placed(points: Sequence[Point]) -> list[Point]:
        return [(450 + (x - 450) * scale, y * scale + lift) for x, y in points]

    stand = whole("450 166 C 410 166 376 158 356 140 C 352 150 352 160 356 172 C 382 192 414 202 450 204")
    studio.piece(placed(stand), shade(colour, 0.82), depth=0.2, volume=10, shadow=0)
    leaf = path("354 138 C 336 170 326 214 322 276 C 352 290 380 302 402 304 C 414 280 430 266 450 258 C 404 232 372 190 354 138")
    for points in (leaf, mirror(leaf)):
        studio.piece(placed(points), colour, depth=0.18, volume=14, shadow=0.34)
    edge = path("333 184 C 329 214 328 240 328 270 C 354 282 380 294 400 296 C 410 276 424 266 440 258")
    for points in (edge, mirror(edge)):
        studio.stroke(placed(points), thread or shade(colour, 1.45), 1.6, dash=(8, 5), opacity=0.75)


def _stitched(studio: Studio, line: str, colour: Colour, thread: Colour) -> None:
    for points in (path(line), mirror(path(line))):
        studio.stroke(points, shade(colour, 0.5), 2.6, opacity=0.6, within=studio.covered)
        for beside in (5, 10):
            shifted = [(x + (beside if x < 450 else -beside), y) for x, y in points]
            studio.stroke(shifted, thread, 1.6, dash=(8, 4), opacity=0.85, within=studio.covered)


def _cable(studio: Studio, x: float, colour: Colour) -> None:
    """Two strands that cross all the way down."""
    for number, y in enumerate(range(280, 880, 44)):
        side = 1 if number % 2 else -1
        for turn, tone in ((-side, 1.14), (side, 1.02)):
            strand = path(f"{x - 13 * turn} {y} C {x - 13 * turn} {y + 22} {x + 13 * turn} {y + 22} {x + 13 * turn} {y + 44}")
            studio.stroke(strand, shade(colour, 0.55), 21, opacity=0.5, within=studio.covered)
            studio.stroke(strand, shade(colour, tone), 15, within=studio.covered)
            studio.stroke(strand, shade(colour, 1.34), 4, opacity=0.5, within=studio.covered)
