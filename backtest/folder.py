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

from backtest.config import BacktestConfig
from lobjax import locks, plugins
from lobjax.config import build, to_dict
from lobjax.display import printable
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.reading import MiB, exists
from lobjax.results.report.traces import AGAIN
from lobjax.schema import read_shape

RUN, REPORT, FIGURES = "run.json", "report.html", "figures"
FORMAT = 1
MOST_RUN = 4 * MiB


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
    plugins.load_named(about["backtest"], f"{path}: its plugins")
    try:
        config = build(BacktestConfig, about["backtest"], "backtest")
    except InputError as error:
        raise InputError(f"{path}: {error}; {AGAIN}") from None
    env = config.env
    if about["task"] != env.task.kind:
        raise InputError(
            f"{path}: task is '{printable(about['task'], 80)}', its configuration's {env.task.kind}; {AGAIN}"
        )
    return {**about, "backtest": to_dict(config)}
