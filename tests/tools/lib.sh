# shellcheck shell=bash
# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the scripts in this directory share. Source it; it moves to the root of the checkout.
# shellcheck disable=SC2034  # the names are used by the scripts that source this

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly ROOT
readonly VENV=$ROOT/.venv
readonly VENV_NEWEST=$ROOT/.venv-newest
readonly BUILD=$ROOT/build
readonly JUNIT=$BUILD/junit
# The collection under its own name: what Python and Ansible import.
readonly COLLECTION=collections/ansible_collections/mainstay/platform
cd "$ROOT"
mkdir -p "$BUILD"

say() { printf '%s\n' "==> $*"; }

note() { printf '%s\n' "    $*"; }

die() {
    printf '%s\n' "missing: $1" >&2
    shift
    for line in "$@"; do printf '%s\n' "  $line" >&2; done
    exit 1
}

is_root() { [ "$(id -u)" -eq 0 ]; }

# export_tree DIRECTORY: what git tracks or would track, in a repository of its own. Tools that walk a tree, or
# ask git which files there are, then see nothing that was built or that the bed is writing.
export_tree() {
    rm -rf "$1"
    mkdir -p "$1"
    git ls-files -z --cached --others --exclude-standard |
        grep -zv '^collections/' |
        while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
        tar --null --files-from=- -cf - | tar -xf - -C "$1"
    git -C "$1" init -q
    git -C "$1" add -A
}

# hash_of FILE...: one digest of the contents.
hash_of() { cat "$@" | sha256sum | cut -d' ' -f1; }

# python_of LOWEST HIGHEST PYTHON: print the executable when it runs, has venv and fits.
python_of() {
    "$3" - "$1" "$2" 2>/dev/null <<'PYTHON'
import ensurepip, os, ssl, sys, venv
lowest, highest = (tuple(map(int, text.split("."))) for text in sys.argv[1:])
if not lowest <= sys.version_info[:2] <= highest:
    raise SystemExit(1)
# Not the virtual environment that may be first on PATH, but what it was made with.
print(os.path.realpath(sys._base_executable))
PYTHON
}

# find_python LOWEST HIGHEST NAME...: the first NAME that fits, on PATH or kept by pyenv.
# A pyenv shim can exist with no version behind it, so each candidate is run.
find_python() {
    local lowest=$1 highest=$2 name candidate
    shift 2
    for name in "$@"; do
        while read -r candidate; do
            python_of "$lowest" "$highest" "$candidate" && return 0
        done < <(
            type -ap "$name"
            compgen -G "${PYENV_ROOT:-$HOME/.pyenv}/versions/*/bin/$name" | sort -rV
        )
    done
    return 1
}
