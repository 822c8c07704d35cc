"""A comparison from the files that `lobjax.results.saving` wrote, checked against each other: people edit and cut such folders."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import numpy as np
import polars as pl

from lobjax.display import printable
from lobjax.env import Measures
from lobjax.errors import InputError, nearest
from lobjax.reading import MiB, read_table
from lobjax.results.comparison import Comparison
from lobjax.results.saving import EPISODES, EVALUATION, PATHS
from lobjax.schema import read_shape

AGAIN = "run the evaluation again"
MOST_TABLE = 384 * MiB
MOST_NAME = 200  # characters
MOST_PLAYERS = 1000
MOST_FIGURE = 1e18
MOST_SECONDS = 10 * 86_400.0  # of a clock that counts from midnight
WATCHED = ("inventory_lots", "spread_ticks", "volume_lots")  # quantities by decision that every comparison has
_NUMBERS = (
    pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64, pl.Float32, pl.Float64, pl.Boolean,
)  # fmt: skip
_MARKS = ("mean", "p5", "p25", "p50", "p75", "p95")


class Figure(TypedDict):
    """A figure's interval; what was not finite is None."""

    mean: float | None
    low: float | None
    high: float | None
    std: float | None
    n: int


class Drawn(TypedDict):
    """How episodes were drawn."""

    count: int
    seed: int
    starts: bool


class Evaluation(TypedDict):
    """evaluation.json."""

    task: str
    episodes: Drawn
    players: dict[str, dict[str, Figure]]
    first: str
    headline: str
    differences: dict[str, dict[str, Figure]]
    advantage: dict[str, Figure]
    verdicts: list[str]
    warnings: list[str]
    reasons: NotRequired[dict[str, str]]


def load(folder: str | Path, known: Mapping[str, Measures]) -> Comparison:
    """The comparison that `save` wrote, without its paths; InputError where the files are missing, damaged or do not agree.

    `known`: the measures of every task by name (`lobjax.tasks.known_measures`).
    """
    folder = Path(folder)
    about = _read_evaluation(folder / EVALUATION, known)
    measures = known[about["task"]]
    path = folder / EPISODES
    frame = read_table(path, most=MOST_TABLE, advice=AGAIN)
    needed = ("player", "episode", *(metric.name for metric in measures.metrics))
    if missing := [name for name in needed if name not in frame.columns]:
        raise InputError(f"{path}: has no column '{missing[0]}'; {AGAIN}")
    _check_column(path, frame["player"], (pl.String,))
    for name in frame.columns:
        if name != "player":
            _check_column(path, frame[name], _NUMBERS)
    names = [name for name in frame.columns if name not in ("player", "episode")]
    _check_clock(path, frame)
    figures = {}
    for player, rows in _by_player(path, frame, list(about["players"])).items():
        if len(rows) != about["episodes"]["count"]:
            raise InputError(
                f"{path}: '{printable(player, 80)}' has {len(rows)} episodes, {EVALUATION} says {about['episodes']['count']}; {AGAIN}"
            )
        _check_counted(path, rows["episode"], f"episodes of '{printable(player, 80)}'")
        figures[player] = {name: rows[name].to_numpy() for name in names}
    return Comparison(about["task"], dict(about["episodes"]), figures, {}, measures, about.get("reasons", {}))


def load_paths(folder: str | Path, players: list[str]) -> pl.DataFrame:
    """paths.parquet of these players: columns as `saving.paths_table`, the quantities of `WATCHED` over the same decisions for all.

    InputError where it is missing, damaged, or of others.
    """
    path = Path(folder) / PATHS
    columns = {"player": pl.String, "quantity": pl.String, "decision": pl.Int32, **dict.fromkeys(_MARKS, pl.Float64)}
    frame = read_table(path, columns, most=MOST_TABLE, advice=AGAIN)
    for mark in _MARKS:
        _check_column(path, frame[mark], (pl.Float64,))
    decisions = None
    for name, rows in _by_player(path, frame, players).items():
        player = printable(name, 80)
        known = rows["quantity"].unique(maintain_order=True).to_list()
        if missing := [quantity for quantity in WATCHED if quantity not in known]:
            raise InputError(f"{path}: '{player}' has no {missing[0]}; {AGAIN}")
        for quantity in WATCHED:
            found = rows.filter(pl.col("quantity") == quantity)["decision"]
            _check_counted(path, found, f"decisions of '{player}'")
            decisions = len(found) if decisions is None else decisions
            if len(found) != decisions:
                raise InputError(f"{path}: '{player}' has {len(found)} decisions and not {decisions}; {AGAIN}")
    return frame


def _read_evaluation(path: Path, known: Mapping[str, Measures]) -> Evaluation:
    about = read_shape(
        Evaluation, path, most=16 * MiB, advice="name a folder that an evaluation left, or make it again"
    )
    task, players = about["task"], list(about["players"])
    if task not in known:
        task = printable(task, 80)
        raise InputError(f"{path}: '{task}' is no task; {nearest(task, known)}")
    if not 0 < len(players) <= MOST_PLAYERS:
        raise InputError(f"{path}: has {len(players)} players; {AGAIN}")
    for player in players:
        if not 0 < len(player) <= MOST_NAME:
            raise InputError(f"{path}: a player's name of {len(player)} characters; {AGAIN}")
    if about["headline"] != (headline := known[task].headline):
        said = printable(about["headline"], 80)
        raise InputError(f"{path}: its headline '{said}' is not that of {task}; {nearest(said, [headline])}")
    if about["first"] != players[0] or not about["advantage"].keys() == about["differences"].keys() == set(players[1:]):
        raise InputError(f"{path}: the players compared are not those that it lists; {AGAIN}")
    return about


def _by_player(path: Path, frame: pl.DataFrame, players: list[str]) -> dict[str, pl.DataFrame]:
    """The rows of each player in order; InputError for others than `players`."""
    found = set(frame["player"].unique())
    if odd := sorted(found ^ set(players)):
        how = "is no player of" if odd[0] in found else "has no rows, but is in"
        raise InputError(f"{path}: '{printable(odd[0], 80)}' {how} {EVALUATION}; {AGAIN}")
    return {player: frame.filter(pl.col("player") == player) for player in players}


def _check_counted(path: Path, column: pl.Series, what: str) -> None:
    if not len(column) or not np.array_equal(column.to_numpy(), np.arange(len(column))):
        raise InputError(f"{path}: {what} are not 0, 1, 2.. in order; {AGAIN}")


def _check_column(path: Path, column: pl.Series, types: tuple[Any, ...]) -> None:
    if column.dtype not in types:
        raise InputError(f"{path}: column '{printable(column.name, 80)}' is {str(column.dtype)[:80]}; {AGAIN}")
    if column.null_count():
        raise InputError(f"{path}: column '{printable(column.name, 80)}' has nulls; {AGAIN}")
    if column.dtype.is_float() or column.dtype.is_integer():
        values = column.to_numpy()
        if not (np.isfinite(values).all() and (np.abs(values.astype(np.float64)) <= MOST_FIGURE).all()):
            raise InputError(
                f"{path}: column '{printable(column.name, 80)}' has numbers that no figure can be; {AGAIN}"
            )


def _check_clock(path: Path, frame: pl.DataFrame) -> None:
    if "start_s" in frame.columns and not frame["start_s"].cast(pl.Float64).is_between(0, MOST_SECONDS).all():
        raise InputError(f"{path}: start_s is not a time of day; {AGAIN}")
