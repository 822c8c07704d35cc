"""FI-2010's text files (Ntakaris et al. 2018): 149 rows of numbers, a column for each sample.

Rows 1 to 40 are the book (ask price, ask size, bid price, bid size, level by level, as the publisher normalised them), 41 to 144 derived
features, 145 to 149 the classes at horizons of 10, 20, 30, 50 and 100 events: 1 up, 2 stationary, 3 down.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from lobjax.display import printable
from lobjax.errors import InputError
from lobjax.forecast.labels import FI2010_CLASSES
from lobjax.reading import opened, parsing

ROWS, BOOK_ROWS, HORIZONS = 149, 40, (10, 20, 30, 50, 100)
_MOST_LINE, _MOST = 1 << 28, 1 << 33  # bytes
_ADVICE = "give a text file of FI-2010, 149 rows with a column for each sample"


class FI2010(NamedTuple):
    """T samples in file order."""

    book: np.ndarray  # float64 [T, 10, 2, 2]: level, side (bids first, as in `lobjax`), (price, size), as normalised
    features: np.ndarray  # float64 [T, 104]
    classes: np.ndarray  # int8 [T, 5], by `HORIZONS`: 0 down, 1 stationary, 2 up


def read_fi2010(path: str | Path) -> FI2010:
    """Read a file whole; InputError names the row that is wrong."""
    rows: list[np.ndarray] = []
    with opened(path, most=_MOST, advice=_ADVICE) as stream:
        while line := stream.readline(_MOST_LINE + 1):
            if line.isspace():
                continue
            if len(rows) == ROWS:
                raise InputError(f"{path}: more than {ROWS} rows; {_ADVICE}")
            rows.append(_numbers(path, line, len(rows) + 1, len(rows[0]) if rows else None))
    if len(rows) < ROWS:
        raise InputError(f"{path}: {len(rows)} rows, not {ROWS}; {_ADVICE}")
    levels = np.array(rows[:BOOK_ROWS]).T.reshape(-1, BOOK_ROWS // 4, 2, 2)[:, :, ::-1]
    features = np.array(rows[BOOK_ROWS : ROWS - len(HORIZONS)]).T
    return FI2010(np.ascontiguousarray(levels), np.ascontiguousarray(features), _classes(path, rows))


def _numbers(path: str | Path, line: bytes, row: int, wanted: int | None) -> np.ndarray:
    where = f"{path}: row {row}"
    if len(line) > _MOST_LINE:
        raise InputError(f"{where}: longer than {_MOST_LINE:,} bytes; {_ADVICE}")
    with parsing(where, "a row of numbers", _ADVICE):
        found = np.array(line.decode("ascii").split(), np.float64)
    if wanted is not None and len(found) != wanted:
        raise InputError(f"{where}: {len(found):,} columns, row 1 has {wanted:,}; {_ADVICE}")
    if not np.isfinite(found).all():
        at = int(np.argmax(~np.isfinite(found)))
        raise InputError(f"{where}, column {at + 1}: {found[at]} is not a finite number; {_ADVICE}")
    return found


def _classes(path: str | Path, rows: list[np.ndarray]) -> np.ndarray:
    codes = np.array(rows[-len(HORIZONS) :])
    out = np.full(codes.shape, -1, np.int8)
    for code, name in FI2010_CLASSES.items():
        out[codes == code] = name
    if (out < 0).any():
        row, column = np.argwhere(out < 0)[0]
        found = printable(f"{codes[row, column]:g}", 20)
        first = ROWS - len(HORIZONS) + 1
        raise InputError(f"{path}: row {first + row}, column {column + 1}: class {found} is not 1, 2 or 3; {_ADVICE}")
    return np.ascontiguousarray(out.T)
