# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate C(http) and its module against a real server behind TLS."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from .conftest import Judge
from .site import Authority, Site


def ask(judge: Judge, site: Site, *checks: dict[str, Any], **more: Any) -> Any:
    """Judge C(site) as C(shop.test), its port being the only thing visitors do not use."""
    options = {"host": "shop.test", "port": site.port, **more}
    return judge(kind="http", checks=list(checks), **options)


def test_the_visitors_name_is_asked_for_and_verified(
    judge: Judge, site: Site, authority: Authority
) -> None:
    """Seen failing with the address as the name in the handshake."""
    judged = ask(judge, site, {"path": "/", "contains": "shop"}, ca=str(authority.file))
    assert judged.gate["outcome"] == "passed", judged
    assert judged.gate["observed"] == "1 of 1 checks passed"
    assert site.names == {("shop.test", "shop.test")}


def test_without_an_authority_the_answer_alone_is_judged(judge: Judge, site: Site) -> None:
    assert not ask(judge, site, {"path": "/"}).failed


def test_a_certificate_of_another_authority_fails(
    judge: Judge, site: Site, tmp_path: pathlib.Path
) -> None:
    """Seen failing with verification turned off for all."""
    other = Authority(tmp_path)
    judged = ask(judge, site, {"path": "/"}, ca=str(other.file))
    assert judged.gate["outcome"] == "failed"
    assert "certificate verify failed" in judged.gate["evidence"][0]


def test_a_certificate_for_another_name_fails(
    judge: Judge, site: Site, authority: Authority
) -> None:
    """Seen failing without the comparison of names."""
    judged = ask(judge, site, {"path": "/", "host": "admin.test"}, ca=str(authority.file))
    assert judged.gate["outcome"] == "failed"
    assert "admin.test" in judged.gate["evidence"][0]
    assert "Hostname mismatch" in judged.gate["evidence"][0]


def test_a_missing_authority_is_named(judge: Judge, site: Site) -> None:
    """Seen failing with a trace of the module instead of a sentence."""
    judged = ask(judge, site, {"path": "/"}, ca="/nowhere/ca.pem")
    assert judged.gate["outcome"] == "failed"
    assert "/nowhere/ca.pem: FileNotFoundError" in judged.gate["evidence"][0]


@pytest.mark.parametrize(
    ("check", "evidence"),
    [
        pytest.param({"path": "/broken"}, "status 500, expected 200 | a stack trace", id="status"),
        pytest.param(
            {"path": "/", "contains": "bakery"}, "does not contain 'bakery' | hello", id="body"
        ),
        pytest.param({"path": "/", "max_seconds": 0}, "allowed are 0 s", id="time"),
        pytest.param({"path": "/truncated"}, "IncompleteRead", id="only a part of the answer"),
        pytest.param({"path": "/dripping"}, "not whole in time", id="an answer without an end"),
        pytest.param({"path": "/a b"}, "InvalidURL", id="a path that is none"),
    ],
)
def test_wrong_answers_fail_with_evidence(
    judge: Judge, site: Site, check: dict[str, Any], evidence: str
) -> None:
    """Seen failing with a plain C(read(n)): it took a part for the whole, and did not time out."""
    judged = ask(judge, site, {"path": "/"}, check)
    assert judged.gate["outcome"] == "failed", judged
    assert judged.gate["observed"] == "1 of 2 checks passed"
    assert evidence in judged.gate["evidence"][0]
    assert evidence in judged.message


def test_headers_are_sent(judge: Judge, site: Site) -> None:
    """Seen failing with headers left out: the old version was judged in place of the new one."""
    ask(judge, site, {"path": "/"}, headers={"X-Mainstay-Preview": "next"})
    assert site.previews == {"next"}


def test_nobody_listens(judge: Judge, site: Site) -> None:
    site.server.server_close()
    judged = ask(judge, site, {"path": "/"})
    assert judged.gate["outcome"] == "failed"
    assert "refused" in judged.gate["evidence"][0]


def test_a_host_that_cannot_ask_decides_nothing(judge: Judge, site: Site) -> None:
    """Seen failing with C(failed): a host without Python would take the release back."""
    judged = judge(
        kind="http",
        checks=[{"path": "/"}],
        port=site.port,
        options=("-e", "ansible_python_interpreter=/nowhere/python"),
    )
    assert judged.gate["outcome"] == "held", judged


def test_check_mode_asks_nothing(judge: Judge, site: Site) -> None:
    """Seen failing without the look at check mode."""
    judged = judge(
        kind="http", checks=[{"path": "/"}], port=site.port, options=("--check",), tls=True
    )
    assert judged.message == "skipped"
    assert site.names == set()
