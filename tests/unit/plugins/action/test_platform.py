# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action on real variables: vault strings, lookups, extra variables, no connection, no leak."""

from __future__ import annotations

import http.server
import json
import pathlib
import secrets
import subprocess
import threading
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import yaml
from unit.support_description import ANSIBLE, environment, result_of, run

SOUND = pathlib.Path(__file__).parents[1] / "module_utils/_platform/descriptions.yml"
#: Documentation address (RFC 5737): a connection to it would never come about.
HOSTS = "[edge]\nedge1 ansible_host=192.0.2.1\n[app]\napp1 ansible_host=192.0.2.2\n"


@pytest.fixture
def inventory(tmp_path: pathlib.Path) -> pathlib.Path:
    """An inventory of the sound description, without its secrets."""
    directory = tmp_path / "inventory"
    (directory / "group_vars/all").mkdir(parents=True)
    (directory / "hosts").write_text(HOSTS)
    variables = yaml.safe_load(SOUND.read_text())
    write(directory, "secrets", {"platform_secrets": variables.pop("platform_secrets")})
    write(directory, "platform", variables)
    return directory


def write(inventory: pathlib.Path, name: str, variables: dict[str, Any]) -> None:
    """One file of variables for all hosts."""
    (inventory / f"group_vars/all/{name}.yml").write_text(yaml.safe_dump(variables))


def put(inventory: pathlib.Path, secret: str, value: str) -> None:
    """Replace the value of one secret by YAML text."""
    path = inventory / "group_vars/all/secrets.yml"
    kept = yaml.safe_load(path.read_text())["platform_secrets"]
    kept.pop(secret)
    lines = yaml.safe_dump({"platform_secrets": kept})
    path.write_text(f"{lines}  {secret}: {value}\n")


def paths_of(result: dict[str, Any]) -> list[str]:
    """Where the errors are."""
    return sorted(p["path"] for p in result["problems"] if p["severity"] == "error")


def test_it_needs_no_connection_and_changes_nothing(
    inventory: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    result = result_of(run(inventory, tmp_path))
    assert result["changed"] is False
    assert result["platform_id"] == "shop-production"
    assert result["problems"] == []


def test_the_run_is_laid_over_the_description(
    inventory: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    digest = "sha256:" + "a" * 64
    versions = f'release_versions={{"api":"{digest}","web":"2.5.0"}}'
    result = result_of(
        run(inventory, tmp_path, "-e", versions, "-e", "release_strategy=blue_green")
    )
    services = {service["name"]: service for service in result["platform"]["services"]}
    assert services["api"]["digest"] == digest
    assert services["web"]["version"] == "2.5.0"
    assert services["worker"]["version"] == "2.4.1"
    assert result["platform"]["release"]["strategy"] == "blue_green"
    assert result["run"]["versions"] == {"api": digest, "web": "2.5.0"}


def test_a_misspelt_extra_variable_is_refused(
    inventory: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    done = run(inventory, tmp_path, "-e", "release_verison=2.5.0")
    assert done.returncode != 0
    assert paths_of(result_of(done)) == ["release_verison"]
    assert "did you mean release_version?" in done.stdout


def test_all_problems_of_all_files_are_in_one_message(
    inventory: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    write(inventory, "z_last", {"platform_relase": {}, "platform_edge": {"tls": {"mode": "of"}}})
    put(inventory, "db_password", "changeme")
    done = run(inventory, tmp_path, "-e", "release_version='1;x'")
    message = result_of(done)["msg"]
    for path in ("platform_relase", "platform_edge.tls.mode", "release_version"):
        assert f". {path}: " in message
    assert ". platform_secrets.db_password: a placeholder" in message


def test_a_failing_lookup_and_an_undefined_variable_are_problems_with_a_path(
    inventory: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    put(
        inventory,
        "jwt_secret",
        "\"{{ lookup('ansible.builtin.env', 'NOT_SET_ANYWHERE', default=undef()) }}\"",
    )
    write(inventory, "z_last", {"platform_domain": "{{ nowhere_defined }}"})
    done = run(inventory, tmp_path)
    assert paths_of(result_of(done)) == ["platform_domain", "platform_secrets.jwt_secret"]
    assert "Traceback" not in done.stdout + done.stderr


def test_inline_vault_strings(inventory: pathlib.Path, tmp_path: pathlib.Path) -> None:
    canary = secrets.token_hex(40)
    password, wrong = tmp_path / "vault-password", tmp_path / "wrong-password"
    password.write_text(secrets.token_hex(16))
    wrong.write_text(secrets.token_hex(16))
    made = subprocess.run(
        [str(ANSIBLE) + "-vault", "encrypt_string", "--vault-password-file", str(password), canary],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    put(inventory, "jwt_secret", made.stdout.strip().replace("\n", "\n      "))

    good = run(inventory, tmp_path, "--vault-password-file", str(password), "-vvv", "--diff")
    assert good.returncode == 0, good.stdout + good.stderr
    assert canary not in good.stdout + good.stderr

    bad = run(inventory, tmp_path, "--vault-password-file", str(wrong))
    assert paths_of(result_of(bad)) == ["platform_secrets.jwt_secret"]


class KeyValueStore(http.server.BaseHTTPRequestHandler):
    """The reading part of HashiCorp Vault's KV version 2 API: token check, data, metadata."""

    token = ""
    values: ClassVar[dict[str, str]] = {}

    def do_GET(self) -> None:
        """Answer /v1/secret/data/shop for the right token."""
        known = self.path.split("?", maxsplit=1)[0] == "/v1/secret/data/shop"
        allowed = self.headers.get("X-Vault-Token") == self.token
        status = 403 if not allowed else 200 if known else 404
        metadata = {"version": 3, "destroyed": False, "deletion_time": ""}
        body: dict[str, Any] = {"errors": ["permission denied"] if status == 403 else []}
        if status == 200:
            body = {"data": {"data": self.values, "metadata": metadata}}
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def vault() -> Iterator[tuple[str, type[KeyValueStore]]]:
    """(address, handler) of a server on the loopback."""
    pytest.importorskip("hvac")

    class Handler(KeyValueStore):
        token = secrets.token_hex(12)
        values: ClassVar[dict[str, str]] = {"jwt": secrets.token_hex(40)}

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_hashicorp_vault(
    inventory: pathlib.Path, tmp_path: pathlib.Path, vault: tuple[str, type[KeyValueStore]]
) -> None:
    """The example of docs/guides/secrets.md, with the lookup plugin and client that people use."""
    address, handler = vault
    put(
        inventory,
        "jwt_secret",
        "\"{{ lookup('community.hashi_vault.vault_kv2_get', 'shop',"
        " engine_mount_point='secret').secret.jwt }}\"",
    )
    env = {"VAULT_ADDR": address, "VAULT_TOKEN": handler.token, "NO_PROXY": "127.0.0.1"}
    good = run(inventory, tmp_path, "-vvv", env=env)
    assert good.returncode == 0, good.stdout + good.stderr
    assert handler.values["jwt"] not in good.stdout + good.stderr

    weak = "ab" * 16
    handler.values: ClassVar[dict[str, str]] = {"jwt": weak}
    refused = run(inventory, tmp_path, env=env)
    assert paths_of(result_of(refused)) == ["platform_secrets.jwt_secret"]
    assert weak not in refused.stdout + refused.stderr

    denied = run(inventory, tmp_path, env={**env, "VAULT_TOKEN": "another"})
    assert paths_of(result_of(denied)) == ["platform_secrets.jwt_secret"]
    assert "Traceback" not in denied.stdout + denied.stderr
