# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the documentation becomes web pages; used by C(make docs)."""

from __future__ import annotations

project = "Mainstay Platform"
copyright = "2026, Mainstay maintainers"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_title = "Mainstay Platform"
html_show_sphinx = False
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence", "deflist"]
# Code blocks of one-line commands and pictures in text have no language.
highlight_language = "none"
# Pages refer to ansible-core's own documentation, which is not part of this build.
suppress_warnings = ["myst.xref_missing", "ref.ref", "misc.highlighting_failure"]
