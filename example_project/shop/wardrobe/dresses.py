"""The dresses of the example shop."""

from PIL import Image

from example_project.shop.drawing import Studio, dots, mirror, path, shade, whole
from example_project.shop.wardrobe.parts import GOLD, HORN, collar, cuffs, inside, sleeves


def poppy_dress() -> Image.Image:
    """A summer dress with dots and a wide skirt."""
    studio, poppy, cream = Studio(5), (200, 52, 48), (240, 214, 186)
    pattern = dots(cream, 34, 5.4)
    inside(studio, "450 150 C 420 150 384 140 362 120 C 364 200 404 266 450 312", poppy)
    sleeves(
        studio, (
"300 148 C 258 160 222 190 200 236 C 190 262 184 286 182 308 C 220 330 262 336"
" 302 330 L 330 320 L 330 150"
), poppy, pattern,
        ("262 186 C 240 230 232 270 230 318",), volume=24,
    )  # fmt: skip
    skirt = whole("450 512 L 322 506 C 290 620 230 800 158 972 C 250 1010 350 1024 450 1024")
    folds = (
        "352 530 C 330 680 290 840 246 980", "388 530 C 372 680 350 840 330 1000", "430 530 C 424 700 420 860 412 1010",
        "470 530 C 478 700 486 860 500 1010", "520 530 C 536 690 560 850 590 1000", "556 530 C 582 690 622 840 670 970",
    )  # fmt: skip
    studio.piece(skirt, poppy, pattern=pattern, folds=folds, shadow=0)
    bodice = whole(
        "450 292 C 408 250 372 190 360 122 C 340 132 316 140 296 148 C 306 220 306 280"
        " 298 330 C 312 400 318 450 320 512 L 450 518"
    )
    studio.piece(
        bodice, poppy, pattern=pattern, folds=["352 250 C 370 340 372 420 366 500", "560 260 C 540 340 536 420 540 500"]
    )
    studio.piece(whole("450 496 L 319 490 L 320 528 L 450 534"), shade(poppy, 0.82), depth=0.2, volume=8)
    studio.stroke(path("360 124 C 374 192 410 252 450 294"), shade(poppy, 0.6), 6, within=studio.covered)
    studio.stroke(mirror(path("360 124 C 374 192 410 252 450 294")), shade(poppy, 0.6), 6, within=studio.covered)
    for y in (330, 376, 422, 468):
        studio.button(450, y, 7, cream)
    return studio.image


def wrap_dress() -> Image.Image:
    """A wrap dress tied at the waist."""
    studio, night = Studio(6), (40, 62, 84)
    inside(studio, "450 140 C 420 140 386 132 364 114 C 356 200 400 310 450 420", night)
    sleeve = (
        "298 146 C 256 160 228 190 214 244 C 196 340 178 440 164 548 C 190 562 222 566"
        " 250 562 C 270 470 292 390 304 330 L 340 330 L 330 150"
    )
    sleeves(studio, sleeve, night, None, ("250 220 C 234 300 226 380 214 470", "226 330 C 214 420 206 480 200 540"))
    skirt = whole("450 530 L 322 522 C 300 640 262 820 226 984 C 300 1012 380 1020 450 1020")
    studio.piece(
        skirt, night, folds=["372 540 C 352 700 320 860 290 1000", "520 560 C 540 700 580 850 620 980"], shadow=0
    )
    over = path("352 524 L 578 522 C 600 640 638 820 674 984 C 600 1004 560 1014 520 1016 C 500 860 440 660 352 524")
    studio.piece(
        over, night, folds=["420 540 C 480 660 530 800 552 980", "500 540 C 552 680 600 820 630 980"], volume=30
    )
    right = path(
        "604 146 C 580 140 560 128 540 114 C 530 200 470 320 340 470 L 330 524 L 578 526"
        " C 580 450 590 400 602 332 C 594 280 594 220 604 146"
    )
    left = path(
        "296 146 C 320 140 340 128 360 114 C 372 210 420 310 500 400 L 500 526 L 322 526"
        " C 320 450 310 400 298 332 C 306 280 306 220 296 146"
    )
    studio.piece(left, night, folds=["340 260 C 356 350 360 430 352 510"])
    studio.piece(
        right, night, folds=["470 380 C 440 430 420 470 400 510", "560 260 C 548 350 546 430 552 510"], volume=34
    )
    studio.stroke(path("538 122 C 528 204 468 324 344 466"), shade(night, 1.3), 1.6, opacity=0.5, dash=(9, 5))
    studio.piece(whole("450 504 L 321 498 L 323 540 L 450 546"), shade(night, 0.9), depth=0.24, volume=9)
    for tail in (
        "356 528 C 336 600 330 680 312 770 L 346 778 C 362 690 372 610 378 532",
        "378 528 C 392 590 392 660 410 724 L 376 736 C 366 670 356 600 352 530",
    ):
        studio.piece(path(tail), shade(night, 0.95), depth=0.3, volume=10)
    studio.piece(
        path(
            "344 500 C 360 490 382 492 392 504 C 396 524 392 540 382 548 C 366 552 350 548"
            " 342 540 C 336 526 338 512 344 500"
        ),
        night,
        depth=0.3,
        volume=10,
    )
    return studio.image


def shirt_dress() -> Image.Image:
    """A belted dress with a collar and buttons all the way down."""
    studio, sage = Studio(7), (132, 156, 122)
    inside(studio, "450 150 C 412 150 380 140 360 120 C 364 176 400 226 450 290", sage)
    sleeve = (
        "292 156 C 252 166 224 190 206 232 C 188 282 172 330 160 378 C 192 402 232 414"
        " 270 412 C 284 360 300 320 304 296 L 340 300 L 330 160"
    )
    sleeves(studio, sleeve, sage, None, ("240 220 C 226 280 222 330 216 390",), volume=28)
    cuffs(studio, "156 376 C 190 402 232 416 276 414 L 270 446 C 226 446 184 434 148 406", sage)
    body = whole(
        "450 256 C 410 222 376 176 358 126 C 334 140 310 150 288 158 C 304 220 308 280"
        " 300 340 C 312 400 318 440 320 500"
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
    collar(studio, sage, lift=-32, scale=0.92)
    return studio.image
