"""What a shopper does, in a real browser, against the demo's own processes."""

import io
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.sync_api import Locator, Page, expect

from tests.browser.shop import Demo, Shopper, until

pytestmark = pytest.mark.needs("chromium")


def _mean(picture: Image.Image, box: tuple[float, float, float, float]) -> list[float]:
    """The mean colour of a part of a picture, in shares of its sides."""
    sides = (picture.width, picture.height) * 2
    left, top, right, low = (round(share * side) for share, side in zip(box, sides, strict=True))
    return ImageStat.Stat(picture.crop((left, top, right, low))).mean


def _as_cropped(photo: Image.Image, shown: Image.Image) -> Image.Image:
    """The photo cropped as Genlook cropped it, to 4:5 around the person: the cut that is likest above the shoulders."""
    width = round(photo.height * shown.width / shown.height)
    cuts = [
        photo.crop((left, 0, left + width, photo.height)).resize(shown.size)
        for left in range(0, photo.width - width + 1, 4)
    ]
    return min(cuts, key=lambda cut: sum(_mean(ImageChops.difference(shown, cut), (0, 0, 1, 0.3))))


def test_a_shopper_sees_themself_in_the_garment(shopper: Shopper, page: Page, demo: Demo, photograph: Path) -> None:
    page.goto(demo.url)
    page.get_by_role("link", name="Harbour denim jacket").click()
    charged = demo.ledger()["charged"]

    shopper.opener.click()
    shopper.agree()
    shopper.choose(photograph)
    shopper.start.click()
    picture = shopper.picture()

    expect(shopper.dialog).to_contain_text("shows the style, not the size")
    assert picture.evaluate("image => image.naturalWidth") > 200
    answer = page.request.get(demo.url + str(picture.get_attribute("src")))
    assert answer.headers["content-type"] == "image/jpeg"
    shown = Image.open(io.BytesIO(answer.body())).convert("RGB")
    before = _as_cropped(Image.open(photograph), shown)
    face = (0.3, 0.1, 0.7, 0.35)
    assert max(_mean(ImageChops.difference(shown, before), face)) < 12, "the face is still the shopper's"
    chest = (0.35, 0.6, 0.65, 0.9)
    (red, _, blue), (red_before, _, blue_before) = _mean(shown, chest), _mean(before, chest)
    assert blue > red + 20, "denim lies on the chest"
    assert red_before > blue_before + 20, "where the photo has none"
    assert demo.ledger()["charged"] == charged + 1


def test_a_double_click_makes_one_try_on(shopper: Shopper, photograph: Path) -> None:
    shopper.visit("poppy-dress")
    shopper.opener.dblclick()
    shopper.agree()
    shopper.choose(photograph)
    shopper.start.evaluate("button => { button.click(); button.click(); button.click(); }")
    shopper.picture()
    assert len(shopper.try_ons()) == 1


def test_nothing_is_sent_before_the_shopper_agrees(shopper: Shopper, page: Page, photograph: Path) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    shopper.open("hoodie")
    expect(shopper.dialog.get_by_role("checkbox")).not_to_be_checked()
    expect(shopper.dialog.get_by_role("button", name="Choose a photo")).to_be_disabled()
    for place in range(2):
        expect(shopper.dialog.locator("input[type=file]").nth(place)).to_be_disabled()
    expect(shopper.dialog).to_contain_text("deleted after 7 days")

    shopper.dialog.locator(".stage").click()
    expect(shopper.dialog.get_by_role("alert")).to_contain_text("tick the box first")
    expect(shopper.dialog.get_by_role("checkbox")).to_be_focused()
    shopper.dialog.evaluate(
        """dialog => {
          const files = new DataTransfer();
          files.items.add(new File(["x"], "me.jpg", { type: "image/jpeg" }));
          dialog.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
        }"""
    )
    shopper.expect_view("photo")
    assert sent == []

    shopper.agree()
    expect(shopper.dialog.get_by_role("button", name="Choose a photo")).to_be_enabled()
    expect(shopper.dialog.get_by_text("tick the box first")).to_be_hidden()


def test_a_photo_can_be_dropped(shopper: Shopper, photograph: Path) -> None:
    shopper.open("hoodie")
    shopper.agree()
    shopper.dialog.evaluate(
        """(dialog, bytes) => {
          const files = new DataTransfer();
          files.items.add(new File([new Uint8Array(bytes)], "me.jpg", { type: "image/jpeg" }));
          dialog.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true }));
        }""",
        list(photograph.read_bytes()),
    )
    expect(shopper.start).to_be_visible()
    expect(shopper.dialog.locator(".preview canvas").last).to_be_visible()


def tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab as a person does: until the focus is where it is wanted, which is a few stops away at most."""
    for _ in range(4):
        page.keyboard.press("Tab")
        if wanted.evaluate("(element) => element.matches(':focus')"):
            break
    expect(wanted).to_be_focused()


def test_the_keyboard_is_enough(shopper: Shopper, page: Page, photograph: Path) -> None:
    shopper.visit("cable-knit")
    shopper.opener.focus()
    page.keyboard.press("Enter")
    shopper.expect_view("photo")
    expect(shopper.dialog.get_by_role("heading", level=2)).to_be_focused()
    page.keyboard.press("Tab")
    expect(shopper.dialog.get_by_role("checkbox")).to_be_focused()
    page.keyboard.press("Space")
    choose = shopper.dialog.get_by_role("button", name="Choose a photo")
    expect(choose).to_be_enabled()
    tab_to(page, choose)
    with page.expect_file_chooser() as chooser:
        choose.press("Space")
    chooser.value.set_files(photograph)
    shopper.expect_view("ready")
    page.keyboard.press("Tab")
    expect(shopper.start).to_be_focused()
    page.keyboard.press("Enter")
    shopper.picture()
    expect(shopper.dialog.get_by_role("heading", level=2)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(shopper.dialog).to_be_hidden()
    expect(shopper.opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(shopper.dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(shopper.dialog).to_be_hidden()
    expect(shopper.opener).to_be_focused()


def test_a_reload_while_waiting_goes_on_where_it_was(shopper: Shopper, page: Page, photograph: Path) -> None:
    shopper.open("shirt-dress")
    shopper.agree()
    shopper.choose(photograph)
    with page.expect_response(lambda answer: answer.url.endswith("/try-ons/") and answer.status == 202):
        shopper.start.click()
    page.reload()
    shopper.picture()
    assert len(shopper.try_ons()) == 1


def test_the_window_may_be_closed_while_waiting(shopper: Shopper, page: Page, photograph: Path) -> None:
    shopper.open("bomber")
    shopper.agree()
    shopper.choose(photograph)
    shopper.start.click()
    shopper.expect_view("waiting")
    shopper.dialog.get_by_role("button", name="Close").click()
    expect(shopper.opener).to_have_text("Your picture is being made")
    expect(shopper.opener).to_have_text("See your picture", timeout=60_000)
    shopper.opener.click()
    shopper.picture()
    # Also on a later visit, and without a second try-on.
    page.goto(shopper.demo.url)
    shopper.visit("bomber")
    shopper.opener.click()
    shopper.picture()
    assert len(shopper.try_ons()) == 1


def test_the_photo_is_offered_for_the_next_garment(shopper: Shopper, page: Page, photograph: Path) -> None:
    shopper.try_on("linen-shirt", photograph)
    posted: list[str] = []
    page.on("request", lambda request: posted.append(request.url) if request.method == "POST" else None)
    shopper.open("camel-blazer")
    expect(shopper.dialog.get_by_role("heading", level=2)).to_have_text("Your photo is still here")
    expect(shopper.dialog.locator(".preview canvas").last).to_be_visible()
    expect(shopper.dialog).to_contain_text("Kept until")
    shopper.start.click()
    shopper.picture()
    assert [url for url in posted if url.endswith("/photos/")] == []
    assert [row["product"] for row in shopper.try_ons()] == ["AL-JAC-303", "AL-TOP-102"]


def test_a_photo_can_be_forgotten(shopper: Shopper, page: Page, photograph: Path) -> None:
    shopper.open("striped-tee")
    shopper.agree()
    with page.expect_response(lambda answer: answer.url.endswith("/photos/") and answer.status == 201):
        shopper.choose(photograph)
    with page.expect_response(lambda answer: answer.request.method == "DELETE" and answer.status == 204):
        shopper.dialog.get_by_role("button", name="Forget this photo").click()
    shopper.expect_view("photo")
    assert page.request.get(f"{shopper.demo.url}/genlook/photos/").json() == []
    shopper.open("striped-tee")
    shopper.expect_view("photo")


def test_the_page_is_told_what_happens(shopper: Shopper, page: Page, photograph: Path) -> None:
    shopper.visit("denim-jacket")
    page.evaluate(
        """() => {
          window.told = [];
          for (const name of ["opened", "photo-uploaded", "started", "completed", "failed"]) {
            document.addEventListener(`genlook:${name}`, (event) => window.told.push([name, event.detail.product]));
          }
        }"""
    )
    shopper.opener.click()
    shopper.agree()
    shopper.choose(photograph)
    shopper.start.click()
    shopper.picture()
    assert page.evaluate("window.told") == [
        [name, "AL-JAC-301"] for name in ("opened", "photo-uploaded", "started", "completed")
    ]


def test_my_try_ons_shows_the_pictures_and_takes_them_away(shopper: Shopper, page: Page, photograph: Path) -> None:
    shopper.try_on("hoodie", photograph)
    shopper.dialog.get_by_role("link", name="My try-ons").click()
    picture = page.locator(".picture")
    expect(picture).to_have_count(1)
    expect(picture).to_contain_text("Moss hoodie")
    until(lambda: picture.locator("img").evaluate("image => image.naturalWidth") > 0, "the picture")
    picture.get_by_role("button", name="Delete").click()
    expect(picture).to_have_count(0)
    expect(page.get_by_text("Nothing here yet")).to_be_visible()
    assert shopper.try_ons() == []


def test_the_button_costs_a_page_little(shopper: Shopper, page: Page) -> None:
    loaded: list[str] = []
    page.on("response", lambda answer: loaded.append(answer.url) if "/static/genlook/" in answer.url else None)
    shopper.visit("hoodie")
    expect(shopper.opener).to_be_visible()
    assert sorted({url.rsplit("/", 1)[1] for url in loaded}) == ["element.css", "try-on.css", "try-on.js"]
    (entry,) = {url for url in loaded if url.endswith(".js")}
    assert len(page.request.get(entry).body()) < 15_000
