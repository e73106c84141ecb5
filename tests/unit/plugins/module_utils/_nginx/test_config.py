# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration tree on a real file system, and nginx_config with an Nginx in memory."""

from __future__ import annotations

import dataclasses
import errno
import pathlib
import stat
from dataclasses import dataclass, field
from typing import Optional

import pytest

from ansible_collections.mainstay.platform.plugins.module_utils._nginx import config, tree
from ansible_collections.mainstay.platform.plugins.module_utils._nginx.process import Probe
from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

from .fakes import FakeClock

PROBE = Probe(port=80, path="/", tls=False, host="shop.test")


@dataclass
class FakeNginx:
    """Serves what was in nginx.conf at its last reload; C(bad) is a content it cannot serve."""

    root: pathlib.Path
    up: bool = True
    refuses: str = "syntax error"
    bad: str = "port is taken"
    unanswered: str = "wrong answers"
    loaded: str = ""
    generation: int = 0
    reloads: int = 0
    calls: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=lambda: ["[emerg] of another day"])
    logs: bool = False

    def test(self, configuration: str) -> None:
        """See the Protocol."""
        self.calls.append("test")
        if self.refuses in pathlib.Path(configuration).read_text():
            raise MainstayError("not valid", subject="nginx -t")

    def running(self) -> bool:
        """See the Protocol."""
        return self.up

    def start(self) -> None:
        """See the Protocol."""
        self.up = True
        self.reload()
        self.calls[-1] = "start"

    def reload(self) -> None:
        """See the Protocol: a real master keeps its workers when it cannot serve."""
        self.calls.append("reload")
        self.reloads += 1
        wanted = (self.root / "nginx.conf").read_text()
        if self.bad not in wanted:
            self.loaded = wanted
            self.generation += 1
        elif self.logs:
            self.log.append("[emerg] bind() failed")

    def workers(self) -> frozenset[int]:
        """See the Protocol."""
        return (
            frozenset({self.generation * 10, self.generation * 10 + 1}) if self.up else frozenset()
        )

    def ask(self, probe: Probe) -> str:
        """See the Protocol."""
        return "status 500" if self.unanswered in self.loaded else ""

    def log_end(self) -> int:
        """See the Protocol."""
        return len(self.log)

    def complaints(self, position: int) -> tuple[str, ...]:
        """See the Protocol."""
        return tuple(self.log[position:])

    def version(self) -> str:
        """See the Protocol."""
        return "1.26.3"


@pytest.fixture
def root(tmp_path: pathlib.Path) -> pathlib.Path:
    """A directory as the package leaves it."""
    found = tmp_path / "nginx"
    (found / "modules-enabled").mkdir(parents=True)
    (found / "nginx.conf").write_text("package\n")
    (found / "mime.types").write_text("types\n")
    (found / "modules-enabled" / "lua.conf").symlink_to("/usr/share/lua.conf")
    return found


def request(root: pathlib.Path, content: str, **more: object) -> config.Request:
    """A request with two files and a secret one."""
    wanted = tree.Wanted(
        {"nginx.conf": content, "mainstay/http.conf": "http\n"}, {"mainstay/key.conf": "hush\n"}
    )
    base = config.Request(str(root), wanted, probe=PROBE, timeout=1.0)
    return dataclasses.replace(base, **more)  # type: ignore[arg-type]


def files(root: pathlib.Path) -> dict[str, str]:
    """Every file below C(root), links as what they point to."""
    return {
        str(path.relative_to(root)): str(path.readlink()) if path.is_symlink() else path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def no_exchange(number: int) -> object:
    """An exchange that the file system refuses."""

    def refuse(one: str, other: str) -> None:
        raise OSError(number, "no exchange here")

    return refuse


@pytest.fixture(params=[None, errno.EXDEV], ids=["exchange", "file-by-file"])
def any_file_system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to put a tree in place."""
    if request.param is not None:
        monkeypatch.setattr(tree, "exchange", no_exchange(request.param))


@pytest.mark.usefixtures("any_file_system")
def test_four_runs(root: pathlib.Path) -> None:
    """Check says change, run changes, check says nothing, run changes nothing, and no reload."""
    nginx = FakeNginx(root)
    before = files(root)
    check = config.apply(request(root, "ours\n", check=True), nginx, FakeClock())
    assert check.changed and files(root) == before and not nginx.calls
    run = config.apply(request(root, "ours\n"), nginx, FakeClock())
    assert run.changed and run.actions == check.actions and nginx.calls == ["test", "reload"]
    assert nginx.loaded == "ours\n"
    for again in (True, False):
        assert not config.apply(request(root, "ours\n", check=again), nginx, FakeClock()).changed
    assert nginx.reloads == 1
    assert {p.name for p in root.parent.iterdir()} == {"nginx", "nginx.mainstay-previous"}


@pytest.mark.usefixtures("any_file_system")
def test_other_files_and_links_stay(root: pathlib.Path) -> None:
    """The directory belongs to the package and to other people too."""
    config.apply(request(root, "ours\n"), FakeNginx(root), FakeClock())
    found = files(root)
    assert found["mime.types"] == "types\n"
    assert found["modules-enabled/lua.conf"] == "/usr/share/lua.conf"


@pytest.mark.usefixtures("any_file_system")
def test_what_an_earlier_run_wrote_is_removed(root: pathlib.Path) -> None:
    """A route that is gone must not be served any more."""
    nginx = FakeNginx(root)
    config.apply(request(root, "ours\n"), nginx, FakeClock())
    wanted = tree.Wanted({"nginx.conf": "ours\n"})
    result = config.apply(request(root, "", wanted=wanted), nginx, FakeClock())
    assert result.actions == [
        "remove mainstay/http.conf",
        "remove mainstay/key.conf",
        "reload nginx",
    ]
    assert "mainstay/http.conf" not in files(root) and "mime.types" in files(root)


@pytest.mark.usefixtures("any_file_system")
@pytest.mark.parametrize(
    ("content", "calls"),
    [
        pytest.param("syntax error\n", ["test"], id="test-fails"),
        pytest.param("port is taken\n", ["test", "reload", "reload"], id="reload-fails"),
        pytest.param("wrong answers\n", ["test", "reload", "reload"], id="probe-fails"),
    ],
)
def test_what_does_not_serve_is_put_back(
    root: pathlib.Path, content: str, calls: list[str]
) -> None:
    """The tree is as before, byte by byte, and Nginx serves by it."""
    nginx = FakeNginx(root)
    config.apply(request(root, "good\n"), nginx, FakeClock())
    before, nginx.calls = files(root), []
    with pytest.raises(MainstayError):
        config.apply(request(root, content), nginx, FakeClock())
    assert files(root) == before
    assert nginx.calls == calls
    assert nginx.loaded == "good\n"
    assert not config.apply(request(root, "good\n"), nginx, FakeClock()).changed


def test_nginx_own_words_end_the_wait_and_reach_the_user(root: pathlib.Path) -> None:
    """What nginx -t cannot see (a port that is taken) is only in its log."""
    nginx, clock = FakeNginx(root, logs=True), FakeClock()
    with pytest.raises(MainstayError) as caught:
        config.apply(request(root, "port is taken\n"), nginx, clock)
    assert caught.value.evidence == ("[emerg] bind() failed",)
    assert clock.now == 100.0
    assert (root / "nginx.conf").read_text() == "package\n"


def test_a_run_that_died_before_the_reload_is_finished(root: pathlib.Path) -> None:
    """The files are in place then, but Nginx does not serve by them."""
    nginx = FakeNginx(root)
    config.apply(request(root, "ours\n"), nginx, FakeClock())
    (root.parent / "nginx.mainstay-pending").write_text("")
    result = config.apply(request(root, "ours\n"), nginx, FakeClock())
    assert result.actions == ["reload nginx"] and nginx.reloads == 2
    assert not (root.parent / "nginx.mainstay-pending").exists()


def test_a_watched_file_that_changed_needs_a_reload(root: pathlib.Path) -> None:
    """A renewed certificate is only used after one."""
    nginx = FakeNginx(root)
    certificate = root.parent / "cert.pem"
    certificate.write_text("old")
    wanted = tree.Wanted({"nginx.conf": "ours\n"}, watched=(str(certificate),))
    config.apply(request(root, "", wanted=wanted), nginx, FakeClock())
    certificate.write_text("new")
    result = config.apply(request(root, "", wanted=wanted), nginx, FakeClock())
    assert result.actions == [f"take over {certificate}", "reload nginx"]
    assert not config.apply(request(root, "", wanted=wanted), nginx, FakeClock()).changed


def test_a_stopped_nginx_is_started(root: pathlib.Path) -> None:
    """Also when no file changed."""
    nginx = FakeNginx(root)
    config.apply(request(root, "ours\n"), nginx, FakeClock())
    nginx.up = False
    result = config.apply(request(root, "ours\n"), nginx, FakeClock())
    assert result.actions == ["start nginx"] and nginx.up


def test_secrets_are_for_root_and_never_shown(root: pathlib.Path) -> None:
    """Neither in the diff nor in the actions."""
    result = config.apply(request(root, "ours\n"), FakeNginx(root), FakeClock())
    assert stat.S_IMODE((root / "mainstay/key.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE((root / "mainstay/http.conf").stat().st_mode) == 0o644
    assert "hush" not in str(result.as_dict())
    assert "mainstay/key.conf" in result.diff["after"]


@pytest.mark.parametrize(
    "path",
    ["{absolute}/b", "../b", "a/../../b", "a//b", "./a", tree.MANIFEST],
)
def test_paths_that_lead_elsewhere_are_refused(
    root: pathlib.Path, tmp_path: pathlib.Path, path: str
) -> None:
    """Before anything is written. Where it would be written is harmless: this runs as root, too."""
    wanted = tree.Wanted({path.format(absolute=tmp_path): "x"})
    with pytest.raises(MainstayError, match="nothing was changed"):
        config.apply(request(root, "", wanted=wanted), FakeNginx(root), FakeClock())
    assert not (tmp_path / "b").exists()


def test_another_error_of_the_exchange_is_not_hidden(
    root: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is not a reason to go on in another way."""
    monkeypatch.setattr(tree, "exchange", no_exchange(errno.EIO))
    with pytest.raises(OSError, match="no exchange"):
        config.apply(request(root, "ours\n"), FakeNginx(root), FakeClock())


def test_before_nginx_is_installed(tmp_path: pathlib.Path) -> None:
    """Check mode on a fresh host."""
    nginx = FakeNginx(tmp_path / "nginx", up=False)
    result = config.apply(request(tmp_path / "nginx", "x", check=True), nginx, FakeClock())
    assert result.changed and result.actions[-1] == "start nginx"


def test_the_exchange_is_one_step(tmp_path: pathlib.Path) -> None:
    """The system call itself, where the file system of the tests has it."""
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()
    (one / "a").write_text("a")
    problem: Optional[OSError] = None
    try:
        tree.exchange(str(one), str(other))
    except OSError as error:
        problem = error
    if problem is not None:
        pytest.skip(f"this file system has no exchange: {problem}")
    assert (other / "a").exists() and not (one / "a").exists()
