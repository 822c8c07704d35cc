"""Files of prices by the name of their format, and the files that a path stands for."""

from pathlib import Path

from lobjax.data.prices.lean import read_lean
from lobjax.data.prices.reader import Bars, Choices, read_bars
from lobjax.errors import InputError
from lobjax.registry import Registry

AUTO = "auto"
FORMATS = Registry("format", {"table": read_bars, "lean": read_lean})
_ENDINGS = (".csv", ".csv.gz", ".txt", ".tsv", ".parquet", ".zip")


def read(path: str | Path, choices: Choices, name: str = AUTO) -> Bars:
    """The bars of a file of a format: `table` (CSV or Parquet, columns guessed), `lean`; `auto` takes a zip as LEAN's."""
    if name == AUTO:
        name = "lean" if str(path).lower().endswith(".zip") else "table"
    return FORMATS[name](path, choices)


def expand(paths: tuple[Path, ...]) -> list[Path]:
    """The files, with those of a folder in its place, by name. InputError where a folder has none."""
    found = []
    for path in paths:
        if path.is_dir():
            inside = sorted(p for p in path.rglob("*") if p.name.lower().endswith(_ENDINGS) and p.is_file())
            if not inside:
                raise InputError(f"{path}: holds no file of prices ({', '.join(_ENDINGS)}); give one that does")
            found += inside
        else:
            found.append(path)
    return found
