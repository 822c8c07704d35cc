"""Rows of small CSV files from outside: cells with the number of their line, and numbers of them."""

import csv
import io
import math
import re
from pathlib import Path
from typing import NamedTuple

from lobjax.display import printable
from lobjax.errors import InputError, nearest
from lobjax.reading.files import MOST_TEXT, read_text
from lobjax.reading.parsing import parsing

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_MOST_CELL = 1000


class Rows(NamedTuple):
    """A CSV file: its header, if its first row is one (no cell of it is a number), and (line, cells) of the rest, as wide as the first."""

    path: str
    header: list[str] | None
    rows: list[tuple[int, list[str]]]

    def column(self, name: str) -> int:
        """Place of a column by its name, in whatever case; InputError where the header has none, or more than one."""
        places = [i for i, other in enumerate(self.header or []) if other.lower() == name.lower()]
        if len(places) != 1:
            hint = "it stands twice; remove one" if places else nearest(name, self.header or [])
            what = f"column '{name}' cannot be told" if places else f"has no column '{name}'"
            raise InputError(f"{self.path}: {what}; {hint if self.header else 'give a header row'}")
        return places[0]

    def numbers(self, place: int) -> list[float]:
        """A column as finite floats; InputError that names line and column of what is none."""
        return [self._number(line, place, cells[place]) for line, cells in self.rows]

    def _number(self, line: int, place: int, text: str) -> float:
        text = text.strip()
        if not _NUMBER.fullmatch(text) or not math.isfinite(value := float(text)):
            name = f"column '{self.header[place]}'" if self.header else f"column {place + 1}"
            raise InputError(
                f"{self.path}: line {line}, {name}: '{printable(text, 40)}' is not a finite number; mend or remove the row"
            )
        return value


def is_number(text: str) -> bool:
    """Whether a cell is written as a number (nan and inf are none)."""
    return bool(_NUMBER.fullmatch(text.strip()))


def read_csv(path: str | Path, *, most: int = MOST_TEXT, advice: str = "give a CSV file") -> Rows:
    """A whole CSV file with commas; blank lines are passed over. InputError where it is none, has no rows, or rows of other widths."""
    text = read_text(path, most=most, advice=advice)
    with parsing(path, "a CSV file", advice):
        if "\0" in text:
            raise ValueError("it has null bytes")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        found = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    if not found:
        raise InputError(f"{path}: no rows; {advice}")
    width = len(found[0][1])
    for line, row in found:
        if len(row) != width:
            raise InputError(f"{path}: line {line}: {len(row)} columns, the first row has {width}; mend the row")
        if longest := next((cell for cell in row if len(cell) > _MOST_CELL), None):
            raise InputError(f"{path}: line {line}: a cell of {len(longest):,} characters; {advice}")
    header = None if any(map(is_number, found[0][1])) else [cell.strip() for cell in found.pop(0)[1]]
    if not found:
        raise InputError(f"{path}: a header and no rows; {advice}")
    return Rows(str(path), header, found)
