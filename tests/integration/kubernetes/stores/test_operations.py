# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kubernetes_backup.yml, kubernetes_restore.yml and restart.yml as somebody types them."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from stores_bed import CANARY, KEY, ROOT, Shop

pytestmark = pytest.mark.long
VARIABLES = """
platform_name: mse
platform_stage: test
platform_domain: mse.example.com
platform_runtime: kubernetes
platform_registry: mainstay.test
platform_kubernetes: {namespace: NAMESPACE}
platform_edge: {tls: {mode: "off"}}
platform_services:
  api: {image: sample/api, version: 1.0.0, port: 3000, health: {path: /api/health}}
platform_stores:
  orders:
    kind: postgres
    mode: kubernetes
    version: "15"
    username: shop
    database: shop
    password: store_password
    volume: {name: orders, path: /var/lib/postgresql/data, size: 1Gi}
    backup: {repositories: [bucket]}
platform_repositories:
  bucket:
    kind: s3
    endpoint: ENDPOINT
    bucket: backups
    path: /NAMESPACE
    ca: AUTHORITY
    path_style: true
    access_key: s3_access_key
    secret_key: s3_secret_key
platform_secrets: {s3_access_key: tester, s3_secret_key: SECRET, store_password: SECRET}
kubernetes_operations_key: KEY
"""


class Typed:
    """An inventory of its own, and the command line."""

    def __init__(self, shop: Shop, folder: pathlib.Path) -> None:
        self.shop, self.inventory = shop, folder / "hosts"
        python = f"ansible_connection=local ansible_python_interpreter={sys.executable}"
        self.inventory.write_text(f"[cluster]\nlocalhost {python}\n")
        text = VARIABLES.replace("_key: KEY", f"_key: {KEY}")
        for word, value in (
            ("NAMESPACE", shop.cluster.namespace),
            ("ENDPOINT", shop.bucket.host),
            ("AUTHORITY", shop.bucket.authority),
            ("SECRET", CANARY),
        ):
            text = text.replace(word, value)
        (folder / "group_vars").mkdir()
        (folder / "group_vars" / "all.yml").write_text(text)

    def run(self, playbook: str, *words: str) -> tuple[int, str]:
        """(return code, everything that was printed)."""
        command = [str(pathlib.Path(sys.executable).parent / "ansible-playbook"), playbook]
        done = subprocess.run(
            [*command, "-i", str(self.inventory), "-vv", *words],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            cwd=ROOT,
            env={
                **os.environ,
                "KUBECONFIG": self.shop.cluster.kubeconfig,
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_NOCOLOR": "1",
            },
        )
        printed = done.stdout + done.stderr
        assert CANARY not in printed
        assert KEY not in printed
        return done.returncode, printed

    def entries(self) -> list[dict[str, str]]:
        """The ledger, oldest first."""
        found = json.loads(
            self.shop.cluster.kubectl(
                "get", "configmaps", "-l", "mainstay.platform/ledger=entry", "-o", "json"
            )
        )
        entries = [json.loads(item["data"]["entry"]) for item in found["items"]]
        return sorted(entries, key=lambda e: e["started"])

    def lock(self) -> str:
        """Who holds it."""
        lease = self.shop.cluster.get("lease", "mainstay-mse-test")
        return str((lease.get("spec") or {}).get("holderIdentity") or "")


def test_what_on_call_types(shop: Shop, tmp_path: pathlib.Path) -> None:
    typed = Typed(shop, tmp_path)
    code, printed = typed.run("kubernetes_backup.yml")
    assert code == 0, printed
    shop.sql("delete from sales.orders where id > 10")

    code, printed = typed.run("kubernetes_restore.yml", "-e", "restore_store=orders")
    assert code != 0
    assert "-e ops_confirm=restore-mse-test" in printed
    assert shop.orders() == 10
    assert not typed.entries()

    code, printed = typed.run("kubernetes_restore.yml", "-e", "ops_confirm=restore-mse-test")
    assert code == 0, printed
    assert (shop.orders(), typed.lock()) == (1000, "")
    (entry,) = typed.entries()
    assert (entry["kind"], entry["outcome"]) == ("restore", "deployed")

    code, printed = typed.run("restart.yml", "-e", "release_services=api")
    assert code == 0, printed
    assert [e["kind"] for e in typed.entries()] == ["restore", "maintenance"]

    code, printed = typed.run("kubernetes_restore.yml", "-e", "ops_confirm=undo-mse-test")
    assert code == 0, printed
    assert shop.orders() == 10

    held = shop.part("orders.dump")
    shop.bucket.put(held, shop.bucket.get(held)[:-20])
    code, printed = typed.run("kubernetes_restore.yml", "-e", "ops_confirm=restore-mse-test")
    assert code != 0
    assert "orders.dump" in printed
    assert (shop.orders(), shop.running(), typed.lock()) == (10, 2, "")
