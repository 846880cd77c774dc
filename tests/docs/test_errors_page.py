"""The page of errors says what the table says, and notices when it no longer does."""

import sys
from pathlib import Path

import pytest
from django.utils.translation import override

from django_genlook.exceptions import CODES
from docs import errors


def test_the_page_is_up_to_date(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["errors", "--check"])
    assert errors.main() == 0
    assert capsys.readouterr().err == ""


def test_a_stale_page_is_noticed_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = tmp_path / "errors.md"
    stale.write_text("old", encoding="utf-8")
    monkeypatch.setattr(errors, "PAGE", stale)
    monkeypatch.setattr(sys, "argv", ["errors", "--check"])
    assert errors.main() == 1
    assert "python -m docs.errors" in capsys.readouterr().err
    assert stale.read_text(encoding="utf-8") == "old"
    monkeypatch.setattr(sys, "argv", ["errors"])
    assert errors.main() == 0
    monkeypatch.setattr(sys, "argv", ["errors", "--check"])
    assert errors.main() == 0


@pytest.mark.parametrize("code", CODES)
def test_each_code_has_its_words_and_its_rules_on_the_page(code: str) -> None:
    problem = CODES[code]
    section = errors.page().partition(f"### {code}\n")[2].partition("\n### ")[0]
    told = (problem.cause, problem.remedy, problem.shopper, problem.shopper_code, problem.status)
    for word in (*told, problem.error.__name__, "product", "photo", "try-on"):
        assert str(word) in section


def test_the_page_is_in_english_whatever_the_language_is_now() -> None:
    with override("de"):
        assert errors.page() == errors.PAGE.read_text(encoding="utf-8")
