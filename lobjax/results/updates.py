"""metrics.jsonl, a line for each update of a run, as those read it who draw or go on from it."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lobjax.display import printable
from lobjax.errors import InputError
from lobjax.reading import read_lines

_ADVICE = "remove the line, or start the run again"
MOST_NUMBER = 1e100  # beyond it nothing can be drawn


def read_updates(path: Path) -> Iterator[dict[str, Any]]:
    """The metrics of each update, in order, one in memory at a time; a last line that was not finished ends them.

    Each has whole numbers `update` and `step`, which rise; all else are numbers, which need not be finite, or lists. InputError names the
    line that is none.
    """
    update = step = -1
    for count, line in read_lines(path, torn=True, advice=_ADVICE):
        for name, value in line.items():
            if type(value) not in (int, float, list):
                raise InputError(f"{path}, line {count}: '{printable(name, 80)}' is not a number; {_ADVICE}")
            if type(value) is int and abs(value) >= 2**63:
                raise InputError(f"{path}, line {count}: '{printable(name, 80)}' is too large; {_ADVICE}")
        if not (type(line.get("update")) is type(line.get("step")) is int):
            raise InputError(f"{path}, line {count}: 'update' or 'step' is missing or not a whole number; {_ADVICE}")
        if line["update"] <= update or line["step"] <= step:
            raise InputError(f"{path}, line {count}: update {line['update']} comes after {update}; {_ADVICE}")
        update, step = line["update"], line["step"]
        yield line


def number(value: Any) -> float | None:
    """A metric that can be drawn; None for what is missing, not finite, or no number."""
    fits = type(value) in (int, float) and math.isfinite(value) and abs(value) < MOST_NUMBER
    return value if fits else None
