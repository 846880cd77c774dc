"""What the example shop sells."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from example_project.shop.models import Category


@dataclass(frozen=True, slots=True)
class Entry:
    """One product; ``slug`` also names its picture in ``wardrobe.GARMENTS``."""

    slug: str
    sku: str
    name: str
    category: Category
    price: Decimal
    alt: str
    description: str


def _entry(slug: str, sku: str, name: str, category: Category, price: str, alt: str, text: str, points: str) -> Entry:
    items = "\n".join(f"<li>{point}</li>" for point in points.split(" / "))
    return Entry(slug, sku, name, category, Decimal(price), alt, f"<p>{text}</p>\n<ul>{items}</ul>")


CATALOGUE: Sequence[Entry] = (
    _entry(
        "striped-tee", "AL-TOP-101", "Quayside tee", Category.TOPS, "39.00",
        "Navy T-shirt with ecru stripes",
        "Our Breton tee, knitted heavier than it has to be, so that it keeps its shape through years of washing.",
        "Organic cotton, 240&nbsp;g/m² / Straight cut / Machine wash at 30&nbsp;°C",
    ),
    _entry(
        "linen-shirt", "AL-TOP-102", "Terracotta shirt", Category.TOPS, "79.00",
        "Terracotta shirt with a collar, a breast pocket and pale buttons",
        "A linen shirt for warm evenings. It creases, and it is meant to.",
        "Washed linen / Corozo buttons / One breast pocket",
    ),
    _entry(
        "hoodie", "AL-TOP-103", "Moss hoodie", Category.TOPS, "85.00",
        "Moss green hoodie with a front pocket and cords",
        "Brushed on the inside, quiet on the outside, with a hood that stays up in the wind.",
        "Organic cotton fleece / Kangaroo pocket / Ribbed cuffs &amp; hem",
    ),
    _entry(
        "cable-knit", "AL-TOP-104", "Honey cable jumper", Category.TOPS, "119.00",
        "Honey yellow jumper with three cables",
        "Three cables, one thick yarn. The jumper to reach for from October to April.",
        "Lambswool / Fully fashioned / Wash by hand",
    ),
    _entry(
        "poppy-dress", "AL-DRE-201", "Poppy dress", Category.DRESSES, "98.00",
        "Red summer dress with cream dots and a wide skirt",
        "A tea dress with a skirt that likes to move.",
        "Viscose crêpe / Buttons at the front / Falls to the knee",
    ),
    _entry(
        "wrap-dress", "AL-DRE-202", "Midnight wrap dress", Category.DRESSES, "129.00",
        "Dark blue wrap dress tied at the waist",
        "Crosses over, ties once, and is ready for whatever the evening turns into.",
        "Crease-resistant jersey / Three-quarter sleeves / Tie belt",
    ),
    _entry(
        "shirt-dress", "AL-DRE-203", "Sage shirt dress", Category.DRESSES, "109.00",
        "Sage green shirt dress with a brown belt",
        "A shirt that decided to be a dress: collar, turned-up sleeves, and a leather belt that comes with it.",
        "Cotton poplin / Horn buttons / Belt included",
    ),
    _entry(
        "denim-jacket", "AL-JAC-301", "Harbour denim jacket", Category.JACKETS, "139.00",
        "Blue denim jacket with copper buttons",
        "Rigid at first, yours after a month. Stitched in copper thread by people who know how.",
        "13&nbsp;oz denim / Copper buttons / Two chest pockets",
    ),
    _entry(
        "bomber", "AL-JAC-302", "Bordeaux bomber", Category.JACKETS, "149.00",
        "Wine red bomber jacket with ribbed edges and a brass zip",
        "Light, lined, and just smart enough for a dinner you were late for.",
        "Recycled nylon / Brass zip / Ribbed collar, cuffs &amp; hem",
    ),
    _entry(
        "camel-blazer", "AL-JAC-303", "Camel blazer", Category.JACKETS, "189.00",
        "Long camel blazer with a fine check and two buttons",
        "A long line, soft shoulders and a check so fine that you only see it up close.",
        "Wool blend / Half lined / Two buttons",
    ),
)  # fmt: skip
