"""Writes ``docs/errors.md`` from the table in ``django_genlook.exceptions``, so that the page cannot fall behind it.

``python -m docs.errors`` writes the page; ``--check`` only says whether it is up to date.
"""

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django

django.setup()

from django.contrib.messages.constants import DEFAULT_TAGS  # noqa: E402
from django.utils.translation import override  # noqa: E402

from django_genlook.api.errors import CsrfFailed  # noqa: E402
from django_genlook.exceptions import CODES, SYNONYMS, Problem, Reaction, Rule, fallback_code  # noqa: E402

PAGE = Path(__file__).with_name("errors.md")

INTRODUCTION = """\
# Errors

<!-- Written by `python -m docs.errors` from the table in django_genlook/exceptions.py. Change that, not this page. -->

Every anticipated failure is a `django_genlook.exceptions.GenlookError`. Catch a class when you want to react, read
`code` when you want to know exactly, ask `problem` for the words. Codes in capitals are Genlook's, those in snake_case
are ours.

A shopper is told in Genlook's shape, `{"code", "message", "status", "details"?}`. The code is Genlook's where the
shopper's own picture is the cause, and one of ours otherwise; trouble with your key or your credits is a 503
`try_on_unavailable`, never a 401 or 402. Genlook's own words go to staff and the log, never to a shopper. A 429 and a
503 carry `Retry-After` in whole seconds. What fails later is a 200 with `"status": "FAILED"` and the same `code`,
`message` and `status` inside `error`.
"""

STATUSES = ((401, "401"), (402, "402"), (408, "408"), (425, "425, 429"), (400, "another 4xx"), (500, "5xx"))


def main() -> int:
    """Write the page, or with ``--check`` return 1 when it is not what would be written."""
    parser = argparse.ArgumentParser(prog="python -m docs.errors", description="Write docs/errors.md.")
    parser.add_argument("--check", action="store_true", help="only say whether the page is up to date")
    wanted = page()
    if not parser.parse_args().check:
        PAGE.write_text(wanted, encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == wanted:
        return 0
    print("docs/errors.md is not what the table says; run: python -m docs.errors", file=sys.stderr)
    return 1


def page() -> str:
    """Return the whole page, in English."""
    with override("en"):
        genlooks = {code: problem for code, problem in CODES.items() if code.isupper()}
        ours = {code: problem for code, problem in CODES.items() if code not in genlooks}
        parts = [
            INTRODUCTION,
            "## At a glance\n\n" + _overview(),
            "## Genlook's codes\n",
            *(_section(code, problem) for code, problem in genlooks.items()),
            "## Our codes\n",
            *(_section(code, problem) for code, problem in ours.items()),
            "## Codes that are not in the table\n\n" + _fallbacks(),
            "## Beyond the table\n\n" + _beyond(),
        ]
    return "\n".join(parts)


def _overview() -> str:
    rows = [
        f"| [`{code}`](#{code.lower()}) | `{problem.error.__name__}` | `{problem.shopper_code}` | {problem.status} |"
        for code, problem in CODES.items()
    ]
    return "\n".join(["| code | class | the shopper's code | status |", "|---|---|---|---|", *rows, ""])


def _section(code: str, problem: Problem) -> str:
    return f"""\
### {code}

{problem.cause} **{problem.remedy}**

- class: `{problem.error.__name__}`, shown as {DEFAULT_TAGS[problem.level]}
- the shopper reads: “{problem.shopper}” (`{problem.shopper_code}`, {problem.status})
{_rules(problem)}
"""


def _rules(problem: Problem) -> str:
    """Return a line for each rule, with the kinds of work that follow it."""
    followers: dict[str, list[str]] = {}
    for work, rule in (("product", problem.product), ("photo", problem.photo), ("try-on", problem.try_on)):
        followers.setdefault(_in_words(rule), []).append(work)
    return "\n".join(f"- {', '.join(works)}: {words}" for words, works in followers.items())


def _fallbacks() -> str:
    rows = [f"| {told} | `{fallback_code(status)}` |" for status, told in STATUSES]
    synonyms = [f"`{synonym}` is read as `{code}`." for synonym, code in SYNONYMS.items()]
    return "\n".join(
        [
            "A code that this version does not know is kept, and treated by its HTTP status:",
            "",
            "| HTTP status | like |",
            "|---|---|",
            *rows,
            f"| none, in a generation that failed | `{fallback_code(None)}` |",
            "",
            " ".join(synonyms),
            "",
        ]
    )


def _beyond() -> str:
    return f"""\
Three answers of the shopper's API are about the request alone and never reach a worker: 403 `{CsrfFailed.default_code}`
(“{CsrfFailed.default_detail}”);
`not_authenticated`, with the words of your own classes in `API_AUTHENTICATION`; and `invalid_request` with status 405
or 415, for a method or a content type that an address does not take.
"""


def _in_words(rule: Rule) -> str:
    match rule.reaction:
        case Reaction.PARK:
            return "ends here, until it changes or somebody asks again"
        case Reaction.HOLD:
            return "waits, and goes out by itself when the cause is gone"
        case Reaction.WINDOW:
            return "goes out as soon as the request window has room"
        case Reaction.SHRINK:
            return "once more with smaller pictures, then it ends here"
        case Reaction.PUSH:
            return "the product is sent, then once more"
        case Reaction.DOUBT:
            return "may have been done, so it is never sent again"
        case Reaction.DONE:
            return "what was wanted is already so"
        case Reaction.BACK_OFF:
            return _back_off(rule)


def _back_off(rule: Rule) -> str:
    times = {None: "again and again", 1: "once more"}.get(rule.limit, f"{rule.limit} times more")
    words = f"{times}, after a growing delay of at most {max(rule.cap, rule.floor):g} s"
    if rule.floor > 1:
        words += f" and at least {rule.floor:g} s"
    if rule.again is not None:
        words += f"; then a new round every {rule.again / 60:g} minutes"
    return words


if __name__ == "__main__":
    sys.exit(main())
