"""All classes that are one file each, by what they are called."""

from __future__ import annotations

from tests.input_classes.columns import PARQUET
from tests.input_classes.compressed import COMPRESSED
from tests.input_classes.declared import BadFile
from tests.input_classes.json_lines import CHARACTERS, LAYOUTS, RECORDS

BAD_FILES: dict[str, BadFile] = RECORDS | CHARACTERS | LAYOUTS | COMPRESSED | PARQUET
