# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page: complete, self-contained, and nothing in it is taken for markup."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._report.markup import Markup, el
from ansible_collections.mainstay.platform.plugins.module_utils._report.page import render
from ansible_collections.mainstay.platform.plugins.module_utils._report.words import (
    latency,
    plain,
    seconds,
)
from ansible_collections.mainstay.platform.tests.unit.plugins.module_utils._report import samples

PAGES = {
    "deployed": samples.deployed,
    "rolled_back": samples.rolled_back,
    "hostile": samples.hostile,
    "long_run": samples.long_run,
}


class Reader(HTMLParser):
    """Tags, attributes and text of a page; complains about tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes.extend(attrs)
        if tag not in ("meta", "link", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(params=sorted(PAGES))
def page(request: pytest.FixtureRequest) -> str:
    """One page of each kind."""
    return render(PAGES[request.param]())


def test_nothing_is_fetched_and_nothing_is_run(page: str) -> None:
    read = Reader(page)
    assert not {"script", "img", "iframe", "object", "form"} & set(read.tags)
    for name, value in read.attributes:
        assert not name.startswith("on")
        assert name not in ("src", "style")
        assert name != "href" or value == "data:,"
    assert not re.search(r"url\(|@import", page)


def test_only_its_own_style_sheet_takes_effect(page: str) -> None:
    style = re.search(r"<style>(.*)</style>", page, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in page.replace("&#x27;", "'")


def test_hostile_names_are_shown_as_text() -> None:
    page = render(samples.hostile())
    assert "<script" not in page
    assert "<img" not in page
    assert Reader(page).words.count("<script>alert('x')</script>") > 10


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param(
            "deployed",
            ["Deployed", "api serves 1.1.0", "rollback.yml", "smoke after batch 1", "12.3 ms"],
            id="deployed",
        ),
        pytest.param(
            "rolled_back",
            ["Rolled back", "panic: cannot read", "app3: 3/6 Stage everywhere", "held", "no point"],
            id="rolled back",
        ),
    ],
)
def test_what_a_reader_looks_for_is_there(name: str, words: list[str]) -> None:
    text = Reader(render(PAGES[name]())).words
    assert [word for word in words if word not in text] == []


def test_hosts_that_failed_alike_are_told_together() -> None:
    script = samples.Script()
    script.play("Only")
    script.task("Stage", samples.everywhere("failed", 1.0), message="no space left")
    assert render(script.document()).count("no space left") == 1


def test_an_empty_run_has_a_page() -> None:
    assert "Finished" in render(samples.Script().document())


def test_el_escapes_text_and_attributes_but_not_markup() -> None:
    made = el("p", "<b>", el("i", "&"), title='"<')
    assert made == '<p title="&quot;&lt;">&lt;b&gt;<i>&amp;</i></p>'
    assert isinstance(made, Markup)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.237, "0.24 s"), (12.34, "12.3 s"), (59.97, "1 min 00 s"), (3725, "1 h 02 min"), (None, "")],
)
def test_seconds(value: float | None, text: str) -> None:
    assert seconds(value) == text


def test_other_words() -> None:
    assert latency(0.0123) == "12.3 ms"
    assert plain({"error_percent": 0.25, "p95": 0.0123}) == "error percent 0.25, p95 0.0123"
    assert plain(True) == "yes"
