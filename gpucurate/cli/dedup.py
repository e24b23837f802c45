"""``gpucurate dedup``: its commands, each in a file of its own."""

from __future__ import annotations

import typer

from gpucurate.cli.apply import apply
from gpucurate.cli.exact import exact
from gpucurate.cli.fuzzy import fuzzy
from gpucurate.cli.groups import expand
from gpucurate.cli.remove import remove
from gpucurate.cli.segments import lines, paragraphs

dedup = typer.Typer(help="Find and remove duplicates.", no_args_is_help=True)

for command in (exact, fuzzy, lines, paragraphs, apply, remove):
    dedup.command()(expand(command))
