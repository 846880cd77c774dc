"""What the documentation says is so: the five-minute install is done as written, every setting is listed."""

import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from django_genlook.conf import Config
from django_genlook.testing import Sandbox

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])
SNIPPET = re.compile(r"^( *)```python\n(.*?)^\1```", re.DOTALL | re.MULTILINE)

SHOP_MODELS = """
from django.db import models

class Product(models.Model):
    name = models.CharField(max_length=100)
    sku = models.CharField(max_length=40)
    description = models.TextField(blank=True)

class ProductImage(models.Model):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    original = models.ImageField(upload_to="products/")
"""

FILL = """
from django.core.files import File
from shop.models import Product, ProductImage
product = Product.objects.create(name="Red shirt", sku="RED-1")
with open("garment.png", "rb") as file:
    ProductImage.objects.create(product=product, original=File(file, "garment.png"))
"""


def snippets(page: Path) -> dict[str, str]:
    """Return the Python snippets of a page by the file that their first comment names, else by their number."""
    found = {}
    for number, (indent, code) in enumerate(SNIPPET.findall(page.read_text())):
        lines = [line.removeprefix(indent) for line in code.splitlines()]
        named = re.match(r"# ([\w/]+\.py)$", lines[0])
        found[named[1] if named else str(number)] = "\n".join(lines) + "\n"
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_python_snippet_is_python(page: Path) -> None:
    for name, code in snippets(page).items():
        compile(code, f"{page.name}:{name}", "exec")


def test_every_setting_is_listed_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([^|]*) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE))
    assert set(rows) == {item.name for item in fields(Config)}
    for item in fields(Config):
        default = getattr(Config(), item.name)
        if item.name not in {"API_KEY", "SANDBOX"}:
            assert rows[item.name].strip("`").replace('"', "").replace("'", "") == str(default).replace("'", "")


def test_every_link_between_pages_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_five_minute_install_brings_a_product_to_genlook(
    genlook_sandbox_process: Sandbox, garment: bytes, tmp_path: Path
) -> None:
    genlook_sandbox_process.reset()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("GENLOOK", "DJANGO"))},
        "GENLOOK_API_KEY": genlook_sandbox_process.api_key,
        "GENLOOK_BASE_URL": genlook_sandbox_process.base_url,
        "PYTHONPATH": str(ROOT),
    }

    def run(*command: str) -> str:
        done = subprocess.run([sys.executable, *command], cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("-m", "django", "startproject", "project", ".")
    run("-m", "django", "startapp", "shop")
    (tmp_path / "shop/models.py").write_text(SHOP_MODELS)
    (tmp_path / "garment.png").write_bytes(garment)
    settings, urls = tmp_path / "project/settings.py", tmp_path / "project/urls.py"
    settings.write_text(settings.read_text() + 'INSTALLED_APPS += ["shop"]\n')
    readme = snippets(ROOT / "README.md")
    settings.write_text(settings.read_text() + readme["settings.py"])
    urls.write_text(urls.read_text() + readme["urls.py"])
    (tmp_path / "shop/tryon.py").write_text(readme["shop/tryon.py"])

    run("manage.py", "makemigrations", "shop", "-v0")
    run("manage.py", "migrate", "-v0")
    run("manage.py", "check", "--fail-level", "WARNING")
    run("manage.py", "shell", "-c", FILL)
    outcome = json.loads(run("manage.py", "genlook_sync", "--json"))
    assert outcome["in_step"] == 1
    assert not outcome["parked"]
    (sent,) = genlook_sandbox_process.journal("POST", "/products")
    assert sent["status"] == 201
