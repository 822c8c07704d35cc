"""The folder of a sweep, and its one table of results.

sweep.json       what was swept, settings, versions, commit
trials.parquet   a row for each trial and seed, in order: the same however often the sweep was stopped and went on
programs.jsonl   what each program took, in seconds: the machine's part, which differs
report.md        the ranking, at the end; figures/parallel.png, figures/importance.png
"""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from lobjax import locks
from lobjax.config import to_dict
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.results.stamp import command, stamp
from train.runfolder import check_surroundings
from train.sweep.config import Sweep
from train.sweep.play import Played
from train.sweep.propose import Past
from train.sweep.space import Point, Space, Values, shown

ABOUT, TRIALS, PROGRAMS = "sweep.json", "trials.parquet", "programs.jsonl"


class Table:
    """The results so far, on disk after every program."""

    def __init__(self, path: Path, space: Space, frame: pl.DataFrame) -> None:
        self.path, self.space, self.frame = path, space, frame

    def add(self, played: Played, points: dict[int, Point]) -> None:
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
        with (self.path / PROGRAMS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(played.clock) + "\n")

    def has(self, trials: Sequence[int]) -> bool:
        """Whether these trials are in the table; a program's are written together."""
        return set(trials) <= set(self.frame["trial"])

    def past(self, first: int, points: Sequence[Point]) -> list[Past]:
        """Trials from number `first` on, whose points these are. InputError where the table says other points."""
        return [self._past(first + i, point) for i, point in enumerate(points)]

    def _past(self, trial: int, point: Point) -> Past:
        rows = self.frame.filter(pl.col("trial") == trial)
        if any(rows[key][0] != shown(self.space[key], value) for key, value in point.items()):
            raise InputError(
                f"{self.path / TRIALS}: trial {trial} is not what this sweep proposes (another version of optuna?); name another --out"
            )
        rungs = [_mean(rungs) for rungs in zip(*rows["rungs"].to_list(), strict=True)]
        return Past(trial, point, rows["status"][0], _mean(rows["value"].to_list()), tuple(rungs))


def open_folder(path: Path, sweep: Sweep) -> Table:
    """A new folder, or one in which the same sweep was stopped. InputError where something else is there."""
    schema = _schema(sweep.space)
    about = {"format": 1, "sweep": to_dict(sweep.config), "training": sweep.data}
    about = json.loads(json.dumps(about, default=str))
    if not locks.is_free(path):
        said = _said(path)
        if {name: said.get(name) for name in about} != about:
            raise InputError(f"{path}: not empty, and not of this sweep; name another --out")
        check_surroundings(said, path / ABOUT)
        found = path / TRIALS
        try:
            return Table(path, sweep.space, pl.read_parquet(found) if found.exists() else pl.DataFrame(schema=schema))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError(f"{found}: damaged ({str(error).splitlines()[0]}); remove it to start again") from None
    with whole_file(path / ABOUT) as temporary:
        temporary.write_text(
            json.dumps({**about, **stamp(), "command": command("python -m train")}, indent=1) + "\n", encoding="utf-8"
        )
    return Table(path, sweep.space, pl.DataFrame(schema=schema))


def _said(path: Path) -> dict[str, Any]:
    try:
        said = json.loads((path / ABOUT).read_text(encoding="utf-8"))
        return said if isinstance(said, dict) else {}
    except (OSError, ValueError):
        return {}


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
