"""The folder that a backtest leaves, written whole or not at all. The report reads it and nothing else.

run.json          command, configuration, seed, versions, git commit, hashes of the data
evaluation.json   figures with intervals, paired differences, verdicts, warnings   (lobjax.results)
episodes.parquet  every episode of every player                                    (lobjax.results)
paths.parquet     by decision: position, spread, volume                            (lobjax.results)
trace.npz         one episode in detail
report.html       for people; figures/*.png are in it
"""

import json
import os
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np

from backtest.config import BacktestConfig
from lobjax import locks
from lobjax.config import build, to_dict
from lobjax.display import printable
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.reading import MiB, exists, read_npz
from lobjax.schema import read_shape
from lobjax.trace import Trace

RUN, TRACE, REPORT, FIGURES = "run.json", "trace.npz", "report.html", "figures"
FORMAT = 1
AGAIN = "run the backtest again"
MOST_RUN = 4 * MiB
MOST_TRACE = 256 * MiB
MOST_CASH = 2**62
_BOOK = ("price_ticks", "size_lots", "owner")


def check_free(path: Path) -> None:
    """InputError unless a folder can be made at `path`: it is missing or empty, and what holds it can be written."""
    if not locks.is_free(path):
        raise InputError(f"{path}: not an empty folder; choose another --out")
    holder = next(parent for parent in path.absolute().parents if parent.exists())
    if not holder.is_dir() or not os.access(holder, os.W_OK):
        raise InputError(f"{path}: cannot be made, {holder} cannot be written; choose another --out")


class Detail(TypedDict):
    """Which episode is shown, and whether it is one of the table's."""

    episode: int
    same_as_table: bool


class About(TypedDict):
    """run.json."""

    format: Literal[1]
    task: str
    command: str
    seed: int
    policy: NotRequired[str | None]
    backtest: dict[str, Any]
    versions: dict[str, str]
    commit: str
    device: dict[str, str | int]
    data: dict[str, str]
    detail: Detail


def write_run(folder: Path, about: dict[str, Any]) -> None:
    """Write run.json."""
    with whole_file(folder / RUN) as temporary:
        temporary.write_text(json.dumps({"format": FORMAT, **about}, indent=1) + "\n", encoding="utf-8")


def read_run(folder: Path) -> dict[str, Any]:
    """What run.json says, its configuration checked and whole; InputError where this is not a backtest's folder."""
    path = folder / RUN
    if not exists(path):
        raise InputError(f"{folder}: no {RUN} there; name a folder that `python -m backtest run` left")
    about = read_shape(About, path, most=MOST_RUN, advice=AGAIN)
    try:
        config = build(BacktestConfig, about["backtest"], "backtest")
    except InputError as error:
        raise InputError(f"{path}: {error}; {AGAIN}") from None
    env = config.env
    if about["task"] != env.task.kind:
        raise InputError(
            f"{path}: task is '{printable(about['task'], 80)}', its configuration's {env.task.kind}; {AGAIN}"
        )
    if env.task.kind == "snapshot" and env.flow.kind != "recorded":
        raise InputError(f"{path}: snapshots of a flow that is not recorded; {AGAIN}")
    return {**about, "backtest": to_dict(config)}


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
    looks, _, orders = (*arrays["price_ticks"].shape, 0, 0, 0)[:3]
    kinds = {"time_s": "f", "opened_s": "f", "decision": "b"}
    shapes = {"opened_s": (), **dict.fromkeys(_BOOK, (looks, 2, orders))}
    for name, array in arrays.items():
        check_array(f"{path}: {name}", array, kinds.get(name, "iu"), shapes.get(name, (looks,)))
    trace = Trace(
        **{name: array.astype(np.int64) if array.dtype.kind in "iu" else array for name, array in arrays.items()}
    )
    if looks < 2 or not orders:
        raise InputError(f"{path}: {looks} looks at a book of {orders} orders; {AGAIN}")
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
