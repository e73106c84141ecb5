# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page as a person sees it: at a desk and on a phone, by day and by night."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterator

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._report.page import render
from ansible_collections.mainstay.platform.tests.unit.plugins.module_utils._report import samples

from .browser import Browser, Page, Picture, chromium

WIDTHS = {"desktop": 1280, "phone": 390}
SCHEMES = {"light": False, "dark": True}
PAGES = {
    "deployed": samples.deployed,
    "rolled_back": samples.rolled_back,
    "hostile": samples.hostile,
    "long_run": samples.long_run,
}

#: Banner and page colours of the style sheet, by outcome and scheme.
BANNERS = {
    ("deployed", "light"): (0x1A, 0x7F, 0x4B),
    ("deployed", "dark"): (0x1D, 0x7A, 0x4C),
    ("rolled_back", "light"): (0xB9, 0x24, 0x2A),
    ("rolled_back", "dark"): (0xA8, 0x32, 0x3A),
}
GROUND = {"light": (0xFF, 0xFF, 0xFF), "dark": (0x14, 0x18, 0x1C)}
FAILED = {"light": (0xD1, 0x34, 0x3B), "dark": (0xEE, 0x5A, 0x60)}

LOOK = """(() => {
  const root = document.documentElement;
  const bars = [...document.querySelectorAll('rect.bar')];
  const box = bar => bar.getBoundingClientRect();
  return {
    outcome: document.querySelector('header').dataset.outcome,
    height: Math.min(root.scrollHeight, 4000),
    overflow: root.scrollWidth - root.clientWidth,
    bars: bars.length,
    unseen: bars.filter(bar => box(bar).width < 0.3 || box(bar).height < 5).length,
    outside: bars.filter(bar => box(bar).right > root.clientWidth || box(bar).left < 0).length,
    titled: bars.filter(bar => bar.querySelector('title')).length,
    failed: bars.filter(bar => bar.classList.contains('failed')).map(bar => {
      const at = box(bar);
      return [Math.round((at.left + at.right) / 2), Math.round((at.top + at.bottom) / 2)];
    }),
  };
})()"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with a fresh profile."""
    if not chromium():
        pytest.fail("no Chromium: apt-get install chromium")
    made = Browser(tmp_path_factory.mktemp("profile"))
    yield made
    made.close()


@pytest.fixture
def show(browser: Browser, tmp_path: pathlib.Path, request: pytest.FixtureRequest) -> Page:
    """The page of the parameters; its picture stays in MAINSTAY_SCREENSHOTS when that is set."""
    name, width, scheme = request.param
    path = tmp_path / f"{name}.html"
    path.write_text(render(PAGES[name]()), encoding="utf-8")
    page = browser.show(path, WIDTHS[width], dark=SCHEMES[scheme], script=LOOK)
    keep = os.environ.get("MAINSTAY_SCREENSHOTS")
    if keep:
        pathlib.Path(keep).mkdir(parents=True, exist_ok=True)
        (pathlib.Path(keep) / f"{name}-{width}-{scheme}.png").write_bytes(page.picture.data)
    return page


def every(*names: str) -> pytest.MarkDecorator:
    """Each named page in each width and scheme."""
    combinations = [(n, w, s) for n in names for w in WIDTHS for s in SCHEMES]
    ids = ["-".join(combination) for combination in combinations]
    return pytest.mark.parametrize("show", combinations, ids=ids, indirect=True)


@every(*PAGES)
def test_every_page_fits_asks_for_nothing_and_raises_no_complaint(show: Page) -> None:
    assert show.complaints == []
    assert [url for url in show.requests if not url.startswith(("file:", "data:"))] == []
    assert len([url for url in show.requests if url.startswith("file:")]) == 1
    assert show.facts["overflow"] == 0
    assert show.facts["outside"] == show.facts["unseen"] == 0
    assert show.facts["titled"] == show.facts["bars"] > 0


@every("deployed", "rolled_back")
def test_outcome_and_bars_are_in_the_picture(show: Page, request: pytest.FixtureRequest) -> None:
    name, _width, scheme = request.node.callspec.params["show"]
    picture = show.picture
    tasks = [task for play in PAGES[name]()["plays"] for task in play["tasks"]]
    assert show.facts["outcome"] == name
    assert picture.pixel(3, 10) == BANNERS[name, scheme]
    assert picture.pixel(3, 200) == GROUND[scheme]
    assert show.facts["bars"] == sum(len(task["hosts"]) for task in tasks)
    assert {picture.pixel(x, y) for x, y in show.facts["failed"]} == (
        {FAILED[scheme]} if name == "rolled_back" else set()
    )
    assert legible(picture, scheme) > 200


def legible(picture: Picture, scheme: str) -> int:
    """Pixels below the banner that stand out from the ground: the text is there."""
    ground = sum(GROUND[scheme])
    return sum(
        abs(sum(picture.pixel(x, y)) - ground) > 300
        for y in range(110, 260)
        for x in range(10, min(picture.width, 380))
    )
