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
from typing import Any

import numpy as np

from lobjax import locks
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.trace import Trace

RUN, TRACE, REPORT, FIGURES = "run.json", "trace.npz", "report.html", "figures"
FORMAT = 1


def check_free(path: Path) -> None:
    """InputError unless a folder can be made at `path`: it is missing or empty, and what holds it can be written."""
    if not locks.is_free(path):
        raise InputError(f"{path}: not an empty folder; choose another --out")
    holder = next(parent for parent in path.absolute().parents if parent.exists())
    if not holder.is_dir() or not os.access(holder, os.W_OK):
        raise InputError(f"{path}: cannot be made, {holder} cannot be written; choose another --out")


def write_run(folder: Path, about: dict[str, Any]) -> None:
    """Write run.json."""
    with whole_file(folder / RUN) as temporary:
        temporary.write_text(json.dumps({"format": FORMAT, **about}, indent=1) + "\n", encoding="utf-8")


def read_run(folder: Path) -> dict[str, Any]:
    """What run.json says; InputError where this is not a backtest's folder."""
    try:
        about = json.loads((folder / RUN).read_text(encoding="utf-8"))
        if about["format"] != FORMAT or "backtest" not in about:
            raise ValueError("not of a backtest, or of another version")
        return about
    except FileNotFoundError:
        raise InputError(f"{folder}: no {RUN} there; name a folder that `python -m backtest run` left") from None
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{folder / RUN}: cannot be used ({error}); run the backtest again") from None


def write_trace(folder: Path, trace: Trace) -> None:
    """Write trace.npz."""
    with whole_file(folder / TRACE) as temporary:
        np.savez_compressed(temporary, **trace._asdict())


def read_trace(folder: Path) -> Trace:
    """Read trace.npz; InputError where it is missing or damaged."""
    try:
        with np.load(folder / TRACE, allow_pickle=False) as arrays:
            return Trace(**arrays)
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise InputError(f"{folder / TRACE}: cannot be read ({error}); run the backtest again") from None
