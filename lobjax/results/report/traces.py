"""One episode in detail as a file, trace.npz; and what every array of a backtest's folder must be."""

from pathlib import Path

import numpy as np

from lobjax.display import printable
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.reading import MiB, read_npz
from lobjax.trace import Trace

TRACE = "trace.npz"
AGAIN = "run the backtest again"
MOST_TRACE = 256 * MiB
MOST_CASH = 2**62
_BOOK = ("price_ticks", "size_lots", "owner")


def write_trace(folder: Path, trace: Trace) -> None:
    """Write trace.npz."""
    with whole_file(folder / TRACE) as temporary:
        np.savez_compressed(temporary, **trace._asdict())


def read_trace(folder: Path) -> Trace:
    """Read trace.npz, integers as int64; InputError where it is missing, damaged or not of the shapes that `Trace` has."""
    path = folder / TRACE
    arrays = read_npz(path, most=MOST_TRACE, advice=AGAIN)
    if odd := sorted(arrays.keys() ^ set(Trace._fields)):
        raise InputError(
            f"{path}: '{printable(odd[0], 80)}' is {'unknown' if odd[0] in arrays else 'missing'}; {AGAIN}"
        )
    samples, _, orders = (*arrays["price_ticks"].shape, 0, 0, 0)[:3]
    kinds = {"time_s": "f", "opened_s": "f", "decision": "b"}
    shapes = {"opened_s": (), **dict.fromkeys(_BOOK, (samples, 2, orders))}
    for name, array in arrays.items():
        check_array(f"{path}: {name}", array, kinds.get(name, "iu"), shapes.get(name, (samples,)))
    trace = Trace(
        **{name: array.astype(np.int64) if array.dtype.kind in "iu" else array for name, array in arrays.items()}
    )
    if samples < 2 or not orders:
        raise InputError(f"{path}: {samples} samples of a book of {orders} orders; {AGAIN}")
    if (np.diff(trace.time_s) < 0).any() or not 0 <= trace.time_s[0] < trace.time_s[-1] <= 1e9:
        raise InputError(f"{path}: time_s goes back, or is no time; {AGAIN}")
    return trace


def check_array(where: str, array: np.ndarray, kinds: str, shape: tuple[int, ...]) -> None:
    """InputError where an array is not of these kinds of types and this shape, or has numbers that cannot be figures or words."""
    if (
        array.dtype.kind not in kinds
        or array.shape != shape
        or (array.dtype.kind == "f" and array.itemsize not in (4, 8))
    ):
        raise InputError(f"{where} is {array.dtype}{list(array.shape)}, not of {list(shape)}; {AGAIN}")
    most = MOST_CASH if where.endswith("cash_ticks") else 2**31
    if array.dtype.kind == "f" and not (np.isfinite(array) & (np.abs(array) < 1e12)).all():
        raise InputError(f"{where} has numbers that are not finite, or too large; {AGAIN}")
    if array.dtype.kind in "iu" and array.size and not -most <= int(array.min()) <= int(array.max()) < most:
        raise InputError(f"{where} has numbers beyond {most:,}; {AGAIN}")
