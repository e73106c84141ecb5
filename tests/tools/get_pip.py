# Copyright: (c) 2026, Mainstay maintainers
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Put pip into a fresh virtual environment from the copy that Python itself carries.

ansible-test runs a file of this kind in each environment that it makes, with the packages that it
wants as arguments, and would otherwise download one.
"""

from __future__ import annotations

import subprocess
import sys

#: Switches of the usual installer that pip does not know.
FOREIGN = {"--no-setuptools", "--no-wheel"}


def main(arguments: list[str]) -> int:
    """Run ensurepip, then pip with the arguments that it understands."""
    subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
    wanted = [argument for argument in arguments if argument not in FOREIGN]
    return subprocess.run([sys.executable, "-m", "pip", "install", *wanted], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
