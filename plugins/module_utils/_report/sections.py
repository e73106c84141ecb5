# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a page, each from the JSON document; a part without content is an empty string."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.mainstay.platform.plugins.module_utils._report import gantt
from ansible_collections.mainstay.platform.plugins.module_utils._report.heartbeat import some
from ansible_collections.mainstay.platform.plugins.module_utils._report.markup import (
    Markup,
    el,
)
from ansible_collections.mainstay.platform.plugins.module_utils._report.words import (
    count,
    heading,
    latency,
    moment,
    plain,
    seconds,
    times,
)

NOTHING = Markup("")

#: Rows of the table of slowest tasks: enough to find where the time went.
SLOWEST = 10

_FAMILY = {"passed": "good", "ok": "good", "failed": "bad", "held": "warn"}
_COUNTERS = ("ok", "changed", "failed", "unreachable", "skipped", "rescued", "ignored")


def banner(document: Mapping[str, Any]) -> Markup:
    """The outcome in words and colour, and the first sentence of the summary."""
    words, family = heading(document["outcome"])
    lead = document["summary"][0] if document["summary"] else _lead(document)
    inside = el("div", el("h1", words), el("p", lead))
    return el("header", inside, cls=f"outcome {family}", data_outcome=document["outcome"])


def _lead(document: Mapping[str, Any]) -> str:
    hosts = times(len(document["hosts"]), "host")
    checked = " in check mode, nothing was changed" if document["check_mode"] else ""
    return f"{document['playbook']} on {hosts}, {seconds(document['seconds'])}{checked}"


def facts(document: Mapping[str, Any]) -> Markup:
    """Who ran what, when, how long."""
    pairs = [
        ("Playbook", document["playbook"]),
        ("Started", moment(document["started"])),
        ("Took", seconds(document["seconds"])),
        ("By", document["who"]),
        ("From", document["controller"]),
        ("Job", document["job_id"]),
        ("Mode", "check, nothing is changed" if document["check_mode"] else "run"),
        ("Hosts", count(len(document["hosts"]))),
        ("Module runs", count(document["module_runs"])),
    ]
    return _pairs(pairs)


def truth(document: Mapping[str, Any]) -> Markup:
    """What is true now, and the commands that come next."""
    lines = document["summary"][1:]
    now = (
        _section("What is true now", el("ul", [el("li", s) for s in lines], cls="truth"))
        if lines
        else NOTHING
    )
    commands = [el("pre", command, cls="copy") for command in document["next"]]
    then = _section("What to type next", commands) if commands else NOTHING
    return Markup(now + then)


def failures(document: Mapping[str, Any]) -> Markup:
    """Every failure with its place and its message; hosts that failed alike are told together."""
    found: list[Markup] = []
    for play in document["plays"]:
        for task in play["tasks"]:
            alike: dict[str, list[str]] = {}
            for host, part in task["hosts"].items():
                if part["status"] in ("failed", "unreachable"):
                    message = part.get("message") or f"{part['status']}, without a message"
                    alike.setdefault(message, []).append(host)
            found.extend(_failure(task, names, message) for message, names in alike.items())
    return _section("Failures", found) if found else NOTHING


def _failure(task: Mapping[str, Any], names: list[str], message: str) -> Markup:
    took = max(task["hosts"][name]["seconds"] for name in names)
    return el(
        "div",
        el("h3", f"{some(names)}: {task['name']}"),
        el("p", f"{task['path']} · after {seconds(took)}", cls="soft"),
        el("pre", message),
        cls="failure",
    )


def release(document: Mapping[str, Any]) -> Markup:
    """The release and the versions of its services."""
    data = document["release"]
    if not data:
        return NOTHING
    names = ("id", "platform", "kind", "strategy", "reason")
    pairs = [(name.capitalize(), plain(data.get(name))) for name in names]
    pairs.append(("Took", seconds(data.get("seconds"))))
    return _section("Release", [_pairs(pairs), _services(data.get("services"))])


def _services(services: Any) -> Markup:
    if isinstance(services, Mapping) and services:
        rows = []
        for name, change in services.items():
            if isinstance(change, Mapping):
                before, after = change.get("from"), change.get("to", change.get("version"))
                rows.append([name, plain(before) or "none", plain(after)])
            else:
                rows.append([name, "", plain(change)])
        return _table(("Service", "Before", "This release"), rows)
    return el("p", "Services: " + plain(services)) if services else NOTHING


def picture(document: Mapping[str, Any]) -> Markup:
    """Where the time went, host by host."""
    drawn = gantt.draw(document)
    return _section("Timeline", drawn) if drawn else NOTHING


def gates(document: Mapping[str, Any]) -> Markup:
    """Each gate: what was observed against what was expected."""
    rows: list[Any] = []
    for gate in document["gates"]:
        rows.append(
            [
                _cell(plain(gate.get("name")), "name"),
                _cell(plain(gate.get("kind")), "wide"),
                _word(plain(gate.get("outcome"))),
                plain(gate.get("observed")),
                plain(gate.get("expected")),
                _cell(count(gate.get("samples")), "num wide"),
                _cell(seconds(gate.get("seconds")), "num wide"),
            ]
        )
        evidence = _lines(gate.get("evidence"))
        if evidence:
            rows.append(el("tr", el("td", evidence, colspan=7), cls="more"))
    heads = ("Gate", "Kind|wide", "Outcome", "Observed", "Expected", "#Samples|wide", "#Took|wide")
    return _section("Gates", _table(heads, rows)) if rows else NOTHING


def proof(document: Mapping[str, Any]) -> Markup:
    """What the prober saw, phase by phase."""
    data = document["proof"]
    if not data.get("requests"):
        return NOTHING
    phases = data.get("phases") or []
    if isinstance(phases, Mapping):
        phases = [{"name": name, **dict(part)} for name, part in phases.items()]
    rows = [_phase(str(p.get("name") or p.get("phase") or ""), p) for p in phases]
    rows.append(_phase("all", data))
    heads = ("Phase", "#Requests", "#Failed", "#Slow", "#p50", "#p95")
    return _section("Proof: requests through the edge", _table(heads, rows))


def _phase(name: str, part: Mapping[str, Any]) -> list[Any]:
    failed = part.get("failed") or 0
    word = el("span", count(failed), cls="word bad") if failed else count(failed)
    return [
        name,
        _num(count(part.get("requests", 0))),
        _num(word),
        _num(count(part.get("slow") or 0)),
        _num(latency(part.get("p50"))),
        _num(latency(part.get("p95"))),
    ]


def slowest(document: Mapping[str, Any]) -> Markup:
    """The tasks that took longest, and the host that was last."""
    total = float(document["seconds"]) or 1.0
    tasks = [(task, play) for play in document["plays"] for task in play["tasks"] if task["hosts"]]
    tasks.sort(key=lambda pair: -float(pair[0]["seconds"]))
    rows = []
    for task, play in tasks[:SLOWEST]:
        last = max(task["hosts"], key=lambda host: task["hosts"][host]["seconds"])
        rows.append(
            [
                _named(task["name"], task["path"]),
                _cell(task["step"] or play["name"], "wide"),
                _cell(last, "wide"),
                _num(seconds(task["seconds"])),
                _cell(f"{100 * task['seconds'] / total:.0f} %", "num wide"),
            ]
        )
    heads = ("Task", "Step|wide", "Slowest host|wide", "#Took", "#Of the run|wide")
    return _section("Slowest tasks", _table(heads, rows)) if rows else NOTHING


def hosts(document: Mapping[str, Any]) -> Markup:
    """Ansible's counters and the busy time of each host."""
    rows = []
    for name, counts in sorted(document["hosts"].items()):
        cells: list[Any] = [_cell(name, "name")]
        for key in _COUNTERS:
            value = counts.get(key, 0)
            bad = key in ("failed", "unreachable") and value
            text = el("span", count(value), cls="word bad") if bad else count(value)
            cells.append(_cell(text, f"num{'' if value else ' zero'}{_narrow(key)}"))
        rows.append([*cells, _num(seconds(counts.get("seconds", 0.0)))])
    heads = ("Host", *(f"#{k.capitalize()}|{_narrow(k).strip()}" for k in _COUNTERS), "#Busy")
    return _section("Hosts", _table(heads, rows)) if rows else NOTHING


def _narrow(key: str) -> str:
    """Counters that a phone has no room for."""
    return " wide" if key in ("skipped", "rescued", "ignored") else ""


def _pairs(pairs: Sequence[tuple[str, str]]) -> Markup:
    return el("dl", [el("div", el("dt", k), el("dd", v)) for k, v in pairs if v], cls="facts")


def _section(title: str, content: Any) -> Markup:
    return el("section", el("h2", title), content)


def _table(heads: Sequence[str], rows: Sequence[Any]) -> Markup:
    """C(#Name) is a column of numbers, C(Name|wide) one that a phone leaves out."""
    top = el("thead", el("tr", [_head(head) for head in heads]))
    body = [row if isinstance(row, Markup) else _line(row) for row in rows]
    return el("div", el("table", top, el("tbody", body)), cls="table")


def _line(cells: Sequence[Any]) -> Markup:
    return el("tr", [cell if _is_cell(cell) else el("td", cell) for cell in cells])


def _head(head: str) -> Markup:
    text, _bar, extra = head.partition("|")
    classes = ("num " if text.startswith("#") else "") + extra
    return el("th", text.lstrip("#"), cls=classes.strip() or None, scope="col")


def _is_cell(value: Any) -> bool:
    return isinstance(value, Markup) and value.startswith("<td")


def _cell(content: Any, cls: str) -> Markup:
    return el("td", content, cls=cls)


def _num(content: Any) -> Markup:
    return _cell(content, "num")


def _named(name: str, more: str) -> Markup:
    return _cell([name, el("span", more, cls="more") if more else None], "name")


def _lines(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "\n".join(plain(item) for item in value)
    return plain(value)


def _word(outcome: str) -> Markup:
    return el("span", outcome, cls=f"word {_FAMILY.get(outcome, '')}".strip())
