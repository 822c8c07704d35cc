"""Price relatives of the classic sets (Li, Sahoo and Hoi's toolbox): close over the close before, no dates, no names."""

from pathlib import Path

import numpy as np

from lobjax.errors import InputError, nearest
from lobjax.reading import read_npz

SETS = ("nyse_o", "nyse_n", "tse", "sp500", "msci", "djia")


def read_relatives(path: str | Path, name: str) -> np.ndarray:
    """The relatives float64 [periods, assets] of a set in an .npz; InputError where it is not in it, or one is not a positive number."""
    advice = "give the .npz of the sets"
    arrays = read_npz(path, advice=advice)
    if name not in arrays:
        raise InputError(f"{path}: has no set '{name}'; {nearest(name, arrays)}")
    found = arrays[name]
    if found.ndim != 2 or found.dtype.kind not in "fiu" or not found.size:
        raise InputError(
            f"{path}: set '{name}' is {found.dtype} {list(found.shape)}, not numbers [periods, assets]; {advice}"
        )
    relatives = np.ascontiguousarray(found, np.float64)
    wrong = ~(np.isfinite(relatives) & (relatives > 0))
    if wrong.any():
        period, asset = np.argwhere(wrong)[0]
        raise InputError(
            f"{path}: set '{name}', row {period + 1:,}, column {asset + 1}: {relatives[period, asset]} is no price relative; {advice}"
        )
    return relatives
