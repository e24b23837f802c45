"""Write docs/commands.md from the command itself: ``python docs/make_commands.py``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TARGET = Path(__file__).parent / "commands.md"

HEAD = """<!-- Made from the code by docs/make_commands.py; a test holds that it is up to date. -->
"""

EXIT_CODES = """
## Exit codes

| code | meaning |
| --- | --- |
| 0 | done |
| 1 | internal error |
| 2 | the command was called in a way that cannot be carried out |
| 3 | options, columns or paths that contradict each other |
| 4 | the output is not empty, holds another run, or is being written by one |
| 5 | input missing, unreadable, or changed while it was read |
| 6 | writing failed: disk full, no permission, device error |
| 7 | more documents were rejected than `--max-reject-rate` allows |
| 8 | finished, but some units of work were set aside (`_gpucurate/quarantine/`) |
| 70 | the books do not balance |
| 130, 143 | stopped by Ctrl-C, by SIGTERM; the same command goes on |
| 141 | nobody read the output |
"""


def reference() -> str:
    """The reference of all commands as Markdown."""
    command = [sys.executable, "-m", "typer", "gpucurate.cli.app", "utils", "docs", "--name", "gpucurate"]
    environment = {**os.environ, "TERM": "dumb", "NO_COLOR": "1"}
    text = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
    return HEAD + text.rstrip() + "\n" + EXIT_CODES


if __name__ == "__main__":
    TARGET.write_text(reference())
