# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one host has of a cluster: installed, made, running, primary or replica.

C(observe) decides on what C(Host) tells; C(Host) does the asking and nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any, Optional, Protocol

from ansible_collections.mainstay.platform.plugins.module_utils._platform.errors import (
    MainstayError,
)

ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C",
    "PGCONNECT_TIMEOUT": "5",
}
#: One query, so that all of it is of one moment. CASE keeps each function to the state it is for.
QUERY = """
select json_build_object(
  'in_recovery', pg_is_in_recovery(),
  'version', current_setting('server_version_num')::int / 10000,
  'system_identifier', (select system_identifier::text from pg_control_system()),
  'checksums', current_setting('data_checksums') = 'on',
  'lsn', case when pg_is_in_recovery() then null else pg_current_wal_lsn()::text end,
  'timeline', case when pg_is_in_recovery()
      then coalesce((select received_tli from pg_stat_wal_receiver),
                    (select timeline_id from pg_control_checkpoint()))
      else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end,
  'received', case when pg_is_in_recovery()
      then greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())::text end,
  'replayed', case when pg_is_in_recovery() then pg_last_wal_replay_lsn()::text end,
  'replayed_at', case when pg_is_in_recovery() then to_char(pg_last_xact_replay_timestamp()
      at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end,
  'settings', (select json_agg(json_build_object('name', name, 'setting', setting,
      'unit', unit, 'context', context, 'pending_restart', pending_restart)) from pg_settings),
  'hba_errors', (select coalesce(json_agg('line ' || line_number || ': ' || error), '[]')
      from pg_hba_file_rules where error is not null),
  'file_errors', (select coalesce(json_agg(sourcefile || ' line ' || sourceline || ': ' || error),
      '[]') from pg_file_settings where error is not null),
  'replication', (select coalesce(json_agg(json_build_object('application_name',
      application_name, 'state', state, 'sync_state', sync_state, 'replayed', replay_lsn::text)),
      '[]') from pg_stat_replication),
  'slots', (select coalesce(json_agg(json_build_object('name', slot_name, 'active', active,
      'wal_status', wal_status)), '[]') from pg_replication_slots where slot_type = 'physical'))
"""


class Host(Protocol):
    """The questions that are asked of a host."""

    def exists(self, path: str) -> bool:
        """Whether a file is there."""

    def read(self, path: str) -> str:
        """The text of a file; empty when there is none."""

    def control(self, program: str, data_directory: str) -> dict[str, str]:
        """The lines of pg_controldata; empty when it cannot be read."""

    def query(self, sql: str) -> Optional[str]:
        """The answer of the server; nothing when no server answers."""


class LocalHost:
    """The host that the module runs on."""

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.user = str(params["os_user"])
        self.socket = str(params["socket_directory"])
        self.port = int(params["port"])
        self.timeout = float(params["timeout"])

    def exists(self, path: str) -> bool:
        """Whether a file is there."""
        return os.path.exists(path)

    def read(self, path: str) -> str:
        """The text of a file; empty when there is none."""
        try:
            with open(path, encoding="utf-8") as handle:
                return handle.read()
        except FileNotFoundError:
            return ""

    def control(self, program: str, data_directory: str) -> dict[str, str]:
        """The lines of pg_controldata; empty when it cannot be read."""
        done = self._run([program, "-D", data_directory])
        if done is None or done.returncode != 0:
            return {}
        pairs = (line.partition(":") for line in done.stdout.splitlines())
        return {key.strip(): value.strip() for key, _colon, value in pairs}

    def query(self, sql: str) -> Optional[str]:
        """The answer of the server; nothing when no server answers."""
        words = ["psql", "-XAtqw", "-h", self.socket, "-p", str(self.port), "-d", "postgres"]
        done = self._run([*words, "-v", "ON_ERROR_STOP=1"], sql)
        if done is None or done.returncode == 2:
            return None
        if done.returncode != 0:
            raise MainstayError(
                "the server refused a question",
                subject=f"port {self.port}",
                evidence=tuple(done.stderr.strip().splitlines()[-5:]),
                next_step="look at its log",
            )
        return done.stdout

    def _run(self, words: list[str], stdin: str = "") -> Optional[subprocess.CompletedProcess[str]]:
        command = ["runuser", "-u", self.user, "--", *words] if os.geteuid() == 0 else words
        try:
            # pylint: disable-next=ansible-bad-function
            return subprocess.run(
                command,
                input=stdin,
                capture_output=True,
                text=True,
                timeout=self.timeout,
                check=False,
                cwd="/",
                env=ENVIRONMENT,
            )
        except FileNotFoundError:
            return None
        except subprocess.TimeoutExpired as error:
            raise MainstayError(
                "no answer in time",
                subject=" ".join(words[:1]),
                expected=f"an answer within {self.timeout:.0f} s",
                next_step="is the disk full, or the server stuck? journalctl and its log tell",
            ) from error


def observe(params: Mapping[str, Any], host: Host) -> dict[str, Any]:
    """The fact C(cluster)."""
    data, conf = str(params["data_directory"]), str(params["config_directory"])
    programs = str(params["bin_directory"])
    found: dict[str, Any] = {
        "installed": host.exists(f"{programs}/postgres"),
        "configured": host.exists(f"{conf}/postgresql.conf"),
        "exists": host.exists(f"{data}/PG_VERSION"),
        "standby": host.exists(f"{data}/standby.signal"),
        "hba": host.read(f"{conf}/pg_hba.conf"),
        "running": False,
        "in_recovery": False,
        "system_identifier": "",
        "timeline": 0,
        "settings": [],
        "replication": [],
        "slots": [],
        "hba_errors": [],
        "file_errors": [],
    }
    if not found["installed"] or not found["exists"]:
        return found
    answer = host.query(QUERY)
    if answer is not None:
        return {**found, **json.loads(answer), "running": True}
    control = host.control(f"{programs}/pg_controldata", data)
    return {
        **found,
        "system_identifier": control.get("Database system identifier", ""),
        "timeline": int(control.get("Latest checkpoint's TimeLineID", "0") or 0),
        "checksums": control.get("Data page checksum version", "0") != "0",
        "state": control.get("Database cluster state", "unknown"),
        "lsn": control.get("Latest checkpoint location"),
    }
