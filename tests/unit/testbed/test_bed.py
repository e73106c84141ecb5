# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the test bed that decide without doing."""

from __future__ import annotations

import hashlib
import io
import ipaddress
import json
import pathlib
import tarfile

import pytest
from testbed.bed import (
    cgroups,
    cli,
    debian,
    faults,
    images,
    keys,
    push,
    registry,
    samples,
    settings,
    stores,
)
from testbed.bed.shell import BedError, await_that, require, run

INDEX_TARGETS = """\
Packages|Debian|Debian|http://mirror.example/debian/
Packages|Debian|Debian|http://second.example/debian/
DEP-11|Debian|Debian-Security|http://wrong.example/
Packages|Debian|Debian-Security|https://mirror.example/security/
Packages|Elsewhere|Debian|http://foreign.example/
Packages|Debian|Debian Backports|cdrom:[x]/
""".splitlines()


def test_mirror_is_the_one_that_this_machine_reads() -> None:
    known = debian.mirrors_in(INDEX_TARGETS)
    assert known == {
        "Debian": "http://mirror.example/debian/",
        "Debian-Security": "https://mirror.example/security/",
    }
    assert debian.sources("trixie", known) == [
        "deb http://mirror.example/debian/ trixie main",
        "deb http://mirror.example/debian/ trixie-updates main",
        "deb https://mirror.example/security/ trixie-security main",
    ]


@pytest.mark.parametrize("known", [{}, {"Debian": "http://mirror.example/"}], ids=["none", "half"])
def test_unknown_mirror_is_left_to_mmdebstrap(known: dict[str, str]) -> None:
    assert debian.sources("trixie", known) == []


@pytest.mark.parametrize(
    ("line", "handed_on"),
    [
        ('Acquire::Check-Valid-Until "false";', True),
        ('Acquire::http::Proxy "http://proxy.example:3128/";', True),
        ('Acquire::http::Proxy "http://127.0.0.1:3142/";', False),
        ('Acquire::https::Proxy "http://localhost:3142/";', False),
        ('Acquire::cdrom::mount "/media/cdrom/";', False),
    ],
    ids=["dates", "proxy", "proxy on loopback", "proxy on localhost", "other"],
)
def test_options_of_apt_that_a_host_inherits(line: str, handed_on: bool) -> None:
    assert debian.inherited_options(line + "\n") == ([line] if handed_on else [])


@pytest.mark.parametrize(
    ("bounding", "expected"), [("000001ffffffffff", True), ("000001fffeffffff", False)]
)
def test_privileged_needs_the_whole_bounding_set(bounding: str, expected: bool) -> None:
    assert cgroups.may_be_privileged(f"Name:\tx\nCapBnd:\t{bounding}\n") is expected


def test_flags_by_cgroup_version() -> None:
    legacy = "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"
    assert legacy in cgroups.flags(1, privileged=True)
    assert "--privileged" not in cgroups.flags(1, privileged=True)
    assert "--privileged" in cgroups.flags(2, privileged=True)
    restricted = cgroups.flags(2, privileged=False)
    assert "--privileged" not in restricted
    assert legacy not in restricted
    assert "--cgroupns=host" in restricted


def test_addresses_are_of_the_network_and_unlike() -> None:
    network = ipaddress.ip_network(settings.SUBNET)
    addresses = [host.address for host in settings.HOSTS.values()]
    addresses += [settings.REGISTRY_ADDRESS, settings.S3_ADDRESS]
    assert len(set(addresses)) == len(addresses)
    assert all(ipaddress.ip_address(address) in network for address in addresses)


@pytest.mark.parametrize(
    ("inventory", "groups"),
    [
        ("inventories/demo/hosts", 1),
        ("inventories/solo/hosts", 1),
        ("inventories/demo_database/hosts", 3),
        ("tests/testbed/second_edge/hosts", 1),
    ],
)
def test_inventories_name_the_addresses_of_the_bed(inventory: str, groups: int) -> None:
    found = 0
    for line in (settings.ROOT / inventory).read_text(encoding="utf-8").splitlines():
        if "ansible_host=" in line:
            name, address = line.split()[:2]
            assert address == f"ansible_host={settings.HOSTS[name].address}"
            found += 1
    assert found >= groups


def test_every_host_has_a_recipe() -> None:
    assert {host.image for host in settings.HOSTS.values()} <= set(images.RECIPES_BY_TAG)


def test_image_is_built_anew_when_its_script_or_its_parent_changes(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for script in settings.RECIPES.glob("*.sh"):
        (tmp_path / script.name).write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(images, "RECIPES", tmp_path)
    before = {tag: images.digest(tag) for tag in images.RECIPES_BY_TAG}
    with (tmp_path / "host.sh").open("a", encoding="utf-8") as stream:
        stream.write("# changed\n")
    assert all(images.digest(tag) != digest for tag, digest in before.items())
    after = {tag: images.digest(tag) for tag in images.RECIPES_BY_TAG}
    with (tmp_path / "registry.sh").open("a", encoding="utf-8") as stream:
        stream.write("# changed\n")
    changed = {tag for tag, digest in after.items() if images.digest(tag) != digest}
    assert changed == {"registry"}


def test_one_host_key_is_known_under_every_name_and_address() -> None:
    text = keys.known_hosts("ssh-ed25519 AAAA comment\n")
    for host in settings.HOSTS.values():
        assert f"{host.name},{host.address} ssh-ed25519 AAAA\n" in text


def test_the_registry_asks_for_a_password_over_tls() -> None:
    configuration = json.loads(json.dumps(registry.configuration()))
    assert configuration["auth"]["htpasswd"]["path"]
    assert set(configuration["http"]["tls"]) == {"certificate", "key"}


def test_same_tree_same_digest(tmp_path: pathlib.Path) -> None:
    program = tmp_path / "sample"
    program.write_bytes(b"program")
    first, second = samples.tree(program), samples.tree(program)
    assert push.layer_of(first).blob.digest == push.layer_of(second).blob.digest
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        entry = archive.getmember("sample")
        assert (entry.mode, entry.mtime, entry.uid) == (0o755, 0, 0)
        assert archive.getmember("data").uid == samples.USER


def test_manifest_names_what_is_pushed() -> None:
    layer = push.layer_of(b"tar")
    config, manifest = push.image(layer, {"User": "1001"}, "amd64")
    content = json.loads(bytes(manifest.content))
    assert content["config"]["digest"] == config.digest
    assert content["layers"][0]["digest"] == layer.blob.digest
    assert json.loads(bytes(config.content))["rootfs"]["diff_ids"] == [
        f"sha256:{hashlib.sha256(b'tar').hexdigest()}"
    ]


def test_images_of_the_services_run_as_nobody_special_and_are_checked() -> None:
    for service in samples.PORTS:
        for tag, special in samples.tags().items():
            found = samples.settings(service, tag, special)
            assert found["User"] == "1001:1001"
            assert found["Healthcheck"]["Test"] == ["CMD", "/sample", "healthcheck"]
            assert f"SAMPLE_VERSION={tag}" in found["Env"]
    assert samples.settings("worker", "1.0.0", {})["ExposedPorts"] == {}


def test_every_bad_tag_is_bad() -> None:
    assert all(special for special in samples.BAD.values())
    assert not any(samples.tags()[tag] for tag in samples.GOOD)


def test_stores_have_their_recipes() -> None:
    for store in stores.STORES:
        for ending in ("tree", "entrypoint"):
            assert (settings.RECIPES / f"{store.repository}-{ending}").stat().st_mode & 0o111
        assert store.settings()["Volumes"] == {store.directory: {}}


def test_unknown_hosts_and_faults_are_refused_with_what_is_known() -> None:
    with pytest.raises(BedError, match=r"Found host edge9, expected one of edge1"):
        cli.known(["edge1", "edge9"])
    with pytest.raises(BedError, match=r"Found fault rain, expected one of unreachable"):
        faults.inflict("edge1", "rain")
    assert cli.known(["app1", "edge1", "app1"]) == ["app1", "edge1"]


def test_waiting_in_vain_says_for_what() -> None:
    with pytest.raises(BedError, match="Waited 0 s in vain for: rain"):
        await_that("rain", lambda: False, 0)


def test_failed_program_tells_its_last_words() -> None:
    with pytest.raises(BedError, match=r"ended with 3:\nlast words"):
        run(["sh", "-c", "echo last words >&2; exit 3"])
    with pytest.raises(BedError, match="is not installed"):
        run(["/no/such/program"])


def test_missing_programs_are_named_all_at_once_with_their_packages() -> None:
    with pytest.raises(BedError, match=r"one \(package first\), two \(package second\)\.$"):
        require({"one": "first", "sh": "dash", "two": "second"})


def test_databases_have_their_disk_where_postgresql_writes() -> None:
    for name in ("db1", "db2", "db3"):
        assert settings.HOSTS[name].disk == "/var/lib/postgresql"
    assert settings.HOSTS["app1"].disk == "/var/lib/docker"
    filled: list[str] = []
    command = faults.disk_full
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faults.disks, "limited", lambda _name: True)
        patch.setattr(faults, "inside", lambda _container, script: filled.append(script))
        command(settings.HOSTS["db1"])
    assert "/var/lib/postgresql/bed-ballast" in filled[0]
    assert "/var/lib/docker" not in filled[0]


def test_servers_beside_the_hosts_are_known_by_name() -> None:
    assert cli.known(["s3", "registry", "db1"]) == ["s3", "registry", "db1"]
    assert settings.S3_ADDRESS not in {host.address for host in settings.HOSTS.values()}


class _Docker:
    """Answers C(docker inspect) for one container, and remembers what else was asked."""

    def __init__(self, status: str, keys_label: str) -> None:
        self.status, self.keys_label = status, keys_label
        self.verbs: list[str] = []

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        if words[0] == "inspect":
            if not self.status:
                raise BedError("no such container")
            return self.status if "State" in words[2] else self.keys_label
        self.verbs.append(words[0])
        return ""


@pytest.mark.parametrize(
    ("status", "label", "verbs", "said"),
    [
        pytest.param("running", "ours", [], "present", id="runs"),
        pytest.param("running", "theirs", ["rm", "create", "start"], "created", id="other keys"),
        pytest.param("exited", "theirs", ["rm", "create", "start"], "created", id="left behind"),
        pytest.param("exited", "<no value>", ["rm", "create", "start"], "created", id="no label"),
        pytest.param("exited", "ours", ["rm", "create", "start"], "started", id="ended"),
        pytest.param("", "", ["create", "start"], "created", id="none"),
    ],
)
def test_a_registry_with_other_keys_is_made_anew(
    status: str,
    label: str,
    verbs: list[str],
    said: str,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    docker = _Docker(status, label)
    for module in (registry, registry.hosts):
        monkeypatch.setattr(module, "docker", docker)
    monkeypatch.setattr(registry.hosts, "fingerprint", lambda: "ours")
    monkeypatch.setattr(registry.hosts, "reachable", lambda *_address: True)
    monkeypatch.setattr(registry.images, "ensure", lambda _tag: False)
    monkeypatch.setattr(registry, "_htpasswd", lambda: "")
    monkeypatch.setattr(registry, "FILES", tmp_path)
    assert registry.ensure() == said
    assert docker.verbs == verbs


def test_keys_of_another_checkout_have_another_fingerprint(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CA_CERTIFICATE", "HOST_KEY", "SSH_KEY"):
        monkeypatch.setattr(registry.hosts, name, tmp_path / name)
        for file in (tmp_path / name, (tmp_path / name).with_suffix(".pub")):
            file.write_text(name, encoding="utf-8")
    before = registry.hosts.fingerprint()
    assert registry.hosts.fingerprint() == before
    (tmp_path / "CA_CERTIFICATE").write_text("another", encoding="utf-8")
    assert registry.hosts.fingerprint() != before
