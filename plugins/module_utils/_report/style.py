# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The style sheet of a report. Colours are named by meaning and have a light and a dark value."""

from __future__ import annotations

_COLOURS = """
:root {
  color-scheme: light dark;
  --page: #ffffff; --text: #1b1f24; --soft: #5b6570; --line: #d9dee3; --box: #f5f7f9;
  --good: #1a7f4b; --warn: #9a6700; --bad: #b9242a; --plain: #4a5560;
  --good-text: #1a7f4b; --warn-text: #8a5c00; --bad-text: #b9242a;
  --ok: #4c9a76; --changed: #3f78c9; --failed: #d1343b; --unreachable: #a3307f;
  --skipped: #c9d0d6; --ignored: #d08a1d; --interrupted: #d08a1d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --text: #e4e8ec; --soft: #9aa5b0; --line: #2d353c; --box: #1c2228;
    --good: #1d7a4c; --warn: #8f6310; --bad: #a8323a; --plain: #46525d;
    --good-text: #5fbf8e; --warn-text: #d9a540; --bad-text: #f0787d;
    --ok: #4fa37d; --changed: #5b93e0; --failed: #ee5a60; --unreachable: #d264b0;
    --skipped: #454f58; --ignored: #d99b3d; --interrupted: #d99b3d;
  }
}
"""

_TEXT = """
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif;
  -webkit-text-size-adjust: 100%;
}
main { max-width: 1100px; margin: 0 auto; padding: 0 20px 48px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0; font-weight: 650; }
h2 { font-size: 17px; margin: 36px 0 10px; font-weight: 650; }
h3 { font-size: 15px; margin: 0 0 4px; font-weight: 600; overflow-wrap: anywhere; }
p { margin: 6px 0; }
code, pre { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
.soft { color: var(--soft); }
.outcome { color: #fff; padding: 22px 0; background: var(--plain); }
.outcome > div { max-width: 1100px; margin: 0 auto; padding: 0 20px; }
.outcome p { margin: 6px 0 0; overflow-wrap: anywhere; }
.outcome.good { background: var(--good); }
.outcome.warn { background: var(--warn); }
.outcome.bad { background: var(--bad); }
dl.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(215px, 1fr));
  gap: 12px 24px; margin: 20px 0 0; }
section dl.facts { margin: 0 0 16px; }
dl.facts dt { color: var(--soft); font-size: 13px; }
dl.facts dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
ul.truth { margin: 0; padding-left: 20px; }
ul.truth li { overflow-wrap: anywhere; white-space: pre-wrap; }
pre { margin: 8px 0; padding: 10px 12px; background: var(--box); border: 1px solid var(--line);
  border-radius: 4px; white-space: pre-wrap; overflow-wrap: anywhere; }
pre.copy { -webkit-user-select: all; user-select: all; white-space: pre; overflow-x: auto; }
.failure { border-left: 3px solid var(--failed); padding: 2px 0 2px 14px; margin: 14px 0; }
"""

_TABLES = """
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 6px 16px 6px 0;
  overflow-wrap: break-word; }
th { color: var(--soft); font-weight: 500; font-size: 13px; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
tr + tr td { border-top: 1px solid var(--line); }
tr.more td { border-top: 0; padding-top: 0; color: var(--soft); font-size: 13px;
  white-space: pre-wrap; }
td.num, th.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
td.name { min-width: 130px; }
.word { font-weight: 600; white-space: nowrap; }
.word.good { color: var(--good-text); }
.word.warn { color: var(--warn-text); }
.word.bad { color: var(--bad-text); }
td.zero { color: var(--soft); }
td .more { display: block; color: var(--soft); font-size: 13px; white-space: pre-wrap; }
"""

_PICTURE = """
.gantt { border: 1px solid var(--line); border-radius: 4px; padding: 8px 14px 10px; }
.row { display: grid; grid-template-columns: minmax(140px, 230px) 96px minmax(0, 1fr); gap: 0 14px;
  padding: 5px 0; border-top: 1px solid var(--line); }
.row.head { border-top: 0; padding: 0; }
.row .step { display: flex; justify-content: space-between; gap: 10px; font-size: 13px;
  line-height: 16px; min-width: 0; }
.row .step b { font-weight: 600; overflow-wrap: anywhere; }
.row .dur { color: var(--soft); white-space: nowrap; font-variant-numeric: tabular-nums; }
.row .names { min-width: 0; }
.row .names span { display: block; height: 16px; line-height: 16px; font-size: 12px;
  color: var(--soft); overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
svg { display: block; }
svg text { font: 11px system-ui, "Liberation Sans", sans-serif; fill: var(--soft); }
svg line.grid { stroke: var(--line); stroke-width: 1; shape-rendering: crispEdges; }
.ok { fill: var(--ok); } .changed { fill: var(--changed); } .failed { fill: var(--failed); }
.unreachable { fill: var(--unreachable); } .skipped { fill: var(--skipped); }
.ignored { fill: var(--ignored); } .interrupted { fill: var(--interrupted); }
.share { fill: var(--changed); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 12px; color: var(--soft);
  border-top: 1px solid var(--line); padding-top: 8px; }
.legend span { display: inline-flex; align-items: center; gap: 6px; }
"""

_MEDIA = """
@media (max-width: 640px) {
  main, .outcome > div { padding-left: 14px; padding-right: 14px; }
  h1 { font-size: 22px; }
  dl.facts { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 10px 16px; }
  .row { grid-template-columns: 72px minmax(0, 1fr); gap: 2px 10px; }
  .row .step { grid-column: 1 / -1; }
  .row.head .step { display: none; }
  th, td { padding-right: 12px; }
  .wide { display: none; }
}
@media print {
  :root { --page: #fff; --text: #000; --soft: #444; --line: #bbb; --box: #fff; }
  body { font-size: 11px; }
  main { max-width: none; }
  .outcome, svg, .bar, .key { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  .row, .failure, tr { break-inside: avoid; }
  h2 { break-after: avoid; }
}
"""

CSS = _COLOURS + _TEXT + _TABLES + _PICTURE + _MEDIA
