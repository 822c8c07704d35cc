"""The folder of a sweep, and its one table of results.

sweep.json       what was swept, settings, versions, commit
trials.parquet   a row for each trial and seed, in order: the same however often the sweep was stopped and went on
programs.jsonl   what each program took, in seconds: the machine's part, which differs
report.md        the ranking, at the end; figures/parallel.png, figures/importance.png
"""

import io
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

import polars as pl

from lobjax import locks
from lobjax.config import renamed, to_dict
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.learn.runfolder import check_surroundings
from lobjax.learn.sweep.config import Sweep, SweepConfig
from lobjax.learn.sweep.play import JobResult
from lobjax.learn.sweep.propose import Past
from lobjax.learn.sweep.space import Point, Space, Values, shown
from lobjax.reading import MiB, exists, is_file, read_table
from lobjax.results.stamp import command, stamp
from lobjax.schema import read_shape

ABOUT, TRIALS, PROGRAMS = "sweep.json", "trials.parquet", "programs.jsonl"
STATUSES = ("complete", "pruned", "failed")
MOST_TABLE = 384 * MiB


class Table:
    """The results so far, on disk after every program."""

    def __init__(self, path: Path, space: Space, frame: pl.DataFrame) -> None:
        self.path, self.space, self.frame = path, space, frame

    def add(self, played: JobResult, points: dict[int, Point]) -> None:
        """Write what a program gave; `points`: of its trials, by number."""
        rows = [
            {**row, **{key: shown(self.space[key], value) for key, value in points[row["trial"]].items()}}
            for row in played.rows
        ]
        self.frame = pl.concat([self.frame, pl.DataFrame(rows, schema=_schema(self.space))]).sort("trial", "seed")
        buffer = io.BytesIO()  # Polars hides a full disk behind an error of its own; a plain write does not
        self.frame.write_parquet(buffer)
        with whole_file(self.path / TRIALS) as temporary:
            temporary.write_bytes(buffer.getbuffer())
        with (self.path / PROGRAMS).open("a+b") as file:
            if file.tell() and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                file.write(b"\n")  # a line that was not finished stays one line
            file.write((json.dumps(played.clock) + "\n").encode())

    def has(self, trials: Sequence[int]) -> bool:
        """Whether these trials are in the table; a program's are written together."""
        return set(trials) <= set(self.frame["trial"])

    def past(self, first: int, points: Sequence[Point]) -> list[Past]:
        """Trials from number `first` on, whose points these are. InputError where the table says other points."""
        return [self._past(first + i, point) for i, point in enumerate(points)]

    def _past(self, trial: int, point: Point) -> Past:
        rows = self.frame.filter(pl.col("trial") == trial)
        if any((rows[key] != shown(self.space[key], value)).any() for key, value in point.items()):
            raise InputError(
                f"{self.path / TRIALS}: trial {trial} is not what this sweep proposes (another version of optuna?); name another --out"
            )
        rungs = [_mean(rungs) for rungs in zip(*rows["rungs"].to_list(), strict=True)]
        return Past(trial, point, rows["status"][0], _mean(rows["value"].to_list()), tuple(rungs))


def open_folder(path: Path, sweep: Sweep) -> Table:
    """A new folder, or one in which the same sweep was stopped. InputError where something else is there, or its table is damaged."""
    schema = _schema(sweep.space)
    about = {"format": 1, "sweep": to_dict(sweep.config), "training": sweep.data}
    about = json.loads(json.dumps(about, default=str))
    if not locks.is_free(path):
        if not is_file(path / ABOUT):
            raise InputError(f"{path}: not empty, and not of this sweep; name another --out")
        said = read_shape(About, path / ABOUT, advice="name another --out")
        said["sweep"] = renamed(SweepConfig, said["sweep"], f"{path / ABOUT}: sweep")
        if {name: said[name] for name in about} != about:
            raise InputError(f"{path}: not empty, and not of this sweep; name another --out")
        check_surroundings(dict(said), path / ABOUT)
        _check_places(path)
        found = path / TRIALS
        return Table(path, sweep.space, _read(found, sweep) if exists(found) else pl.DataFrame(schema=schema))
    with whole_file(path / ABOUT) as temporary:
        temporary.write_text(
            json.dumps({**about, **stamp(), "command": command("python -m train")}, indent=1) + "\n", encoding="utf-8"
        )
    return Table(path, sweep.space, pl.DataFrame(schema=schema))


class About(TypedDict):
    """sweep.json, as far as it is read again."""

    format: Literal[1]
    sweep: dict[str, Any]
    training: dict[str, Any]


def _check_places(path: Path) -> None:
    """InputError where something stands in the way of what a sweep writes; better found before its programs are played."""
    if exists(path / "figures") and not (path / "figures").is_dir():
        raise InputError(f"{path / 'figures'}: is not a folder; remove it")
    for name in (TRIALS, PROGRAMS, "report.md"):
        if exists(path / name) and not is_file(path / name):
            raise InputError(f"{path / name}: is not a file; remove it")


def _read(path: Path, sweep: Sweep) -> pl.DataFrame:
    """The table of a sweep that was stopped: whole trials, each with a row for every seed. InputError where it is anything else."""
    advice = "remove it to start again"
    frame = read_table(path, _schema(sweep.space), nullable=("reason", "value"), most=MOST_TABLE, advice=advice).sort(
        "trial", "seed"
    )
    first = sweep.data.get("seed", 0)
    seeds = list(range(first, first + sweep.config.seeds))
    rungs = len(sweep.config.prune.at) if sweep.config.prune else 0
    for name in (
        "value",
        *(name for name, kind in _schema(sweep.space).items() if kind == pl.Float64 and name != "value"),
    ):
        if not frame[name].is_finite().all():
            raise InputError(f"{path}: column '{name}' has numbers that are not finite; {advice}")
    for (trial,), rows in frame.group_by("trial", maintain_order=True):
        if not 0 <= trial < sweep.n_trials or rows["seed"].to_list() != seeds:
            raise InputError(f"{path}: trial {trial} is none of this sweep's, or not of all its seeds; {advice}")
        if rows["status"].n_unique() != 1 or rows["status"][0] not in STATUSES:
            raise InputError(f"{path}: the status of trial {trial} is none, or not that of all its seeds; {advice}")
        if set(rows["rungs"].list.len()) != {rungs} or not all(_finite(row) for row in rows["rungs"].to_list()):
            raise InputError(f"{path}: trial {trial} has not {rungs} rungs of numbers; {advice}")
    return frame


def _finite(values: Sequence[float | None]) -> bool:
    return all(value is None or math.isfinite(value) for value in values)


def _schema(space: Space) -> dict[str, Any]:
    values = {k: pl.String if isinstance(d, Values) and not d.numeric else pl.Float64 for k, d in space.items()}
    return {
        "trial": pl.Int64, "seed": pl.Int64, "status": pl.String, "reason": pl.String, "value": pl.Float64,
        "updates": pl.Int64, "steps": pl.Int64, "rungs": pl.List(pl.Float64), "curve": pl.List(pl.Float64), **values,
    }  # fmt: skip


def _mean(values: Sequence[float | None]) -> float | None:
    """The mean over seeds; None where one has no value."""
    found = [value for value in values if value is not None]
    return sum(found) / len(found) if found and len(found) == len(values) else None
