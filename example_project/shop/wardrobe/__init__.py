"""The ten garments of the example shop, each drawn as a flat-lay picture."""

from collections.abc import Callable, Mapping

from PIL import Image

from example_project.shop.wardrobe.dresses import poppy_dress, shirt_dress, wrap_dress
from example_project.shop.wardrobe.jackets import bomber, camel_blazer, denim_jacket
from example_project.shop.wardrobe.tops import cable_knit, hoodie, linen_shirt, striped_tee

GARMENTS: Mapping[str, Callable[[], Image.Image]] = {
    "striped-tee": striped_tee, "linen-shirt": linen_shirt, "hoodie": hoodie, "cable-knit": cable_knit,
    "poppy-dress": poppy_dress, "wrap-dress": wrap_dress, "shirt-dress": shirt_dress,
    "denim-jacket": denim_jacket, "bomber": bomber, "camel-blazer": camel_blazer,
}  # fmt: skip
