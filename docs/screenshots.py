"""Takes the pictures of the documentation from the running example shop: ``make screenshots``."""

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.shop import CHROMIUM_ARGS, Demo, Shopper, running_demo, save_photograph, until

IMAGES = Path(__file__).resolve().parent / "images"
WINDOW = {"width": 1280, "height": 860}
GARMENT = "striped-tee"


def main() -> None:
    """Write ``docs/images/{product-before,product-after,admin-products,admin-try-on}.png``."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_demo(Path(folder)) as demo, sync_playwright() as playwright:
        photograph = save_photograph(Path(folder) / "me.jpg")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGS)
        take_product_page(browser, demo, photograph)
        take_admin(browser, demo, photograph)
        browser.close()


def take_product_page(browser: Browser, demo: Demo, photograph: Path) -> None:
    """What a shopper sees before and after."""
    page = new_page(browser)
    shopper = Shopper(page, demo)
    shopper.visit(GARMENT)
    page.wait_for_load_state("networkidle")
    save(page, "product-before")
    shopper.opener.click()
    shopper.agree()
    shopper.choose(photograph)
    shopper.start.click()
    shopper.picture()
    save(page, "product-after")


def take_admin(browser: Browser, demo: Demo, photograph: Path) -> None:
    """What staff see: the products in step, and the page that asks which model photos to use."""
    page = new_page(browser)
    page.goto(f"{demo.url}/admin/login/?next=/admin/genlook/photo/add/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", "admin")
    page.click("[type=submit]")
    page.fill("[name=label]", "Eileen, studio")
    page.set_input_files("input[type=file]", photograph)
    page.click("[name=_save]")

    def is_ready() -> bool:
        page.goto(f"{demo.url}/admin/genlook/photo/")
        return page.locator("#result_list img").count() > 0

    until(is_ready, "the model photo")
    page.goto(f"{demo.url}/admin/genlook/product/")
    save(page, "admin-products")
    for box in page.locator("input.action-select").all()[:3]:
        box.check()
    page.select_option("[name=action]", label="Try on with a model photo")
    page.click(".actions button[type=submit], .actions [name=index]")
    photo = page.locator("input[name=photos]").first
    expect(photo).to_be_visible()
    photo.check()
    save(page, "admin-try-on")


def new_page(browser: Browser) -> Page:
    """A page that does not move, so that two runs show the same."""
    return browser.new_context(viewport=WINDOW, locale="en-GB", reduced_motion="reduce").new_page()  # type: ignore[arg-type]


def save(page: Page, name: str) -> None:
    """Write the page as a PNG with a palette, a third of the size."""
    # Off every button: what the mouse is over looks pressed.
    page.mouse.move(2, 2)
    page.evaluate("Promise.all([...document.images].map((image) => image.decode().catch(() => {})))")
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        picture.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(
            IMAGES / f"{name}.png", optimize=True
        )
    print(f"docs/images/{name}.png")


if __name__ == "__main__":
    main()
