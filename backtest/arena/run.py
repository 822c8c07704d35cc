"""The evaluation of an arena from its configuration to its folder: arena.json, episodes.parquet and arena.png."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from backtest import folder
from backtest.arena.cast import cast_of
from backtest.arena.evaluation import Evaluation, Settings, evaluate, figures
from backtest.arena.showing import picture
from lobjax import locks
from lobjax.arena import ArenaConfig, make_arena
from lobjax.cli import note
from lobjax.config import to_dict
from lobjax.files import whole_folder
from lobjax.results import style
from lobjax.results.stamp import stamp

NUMBERS, EPISODES, FIGURE = "arena.json", "episodes.parquet", "arena.png"


def run(config: ArenaConfig, play: tuple[str, ...], settings: Settings, out: Path, command: str) -> dict[str, Any]:
    """Play, compare, and leave the folder `out`; InputError before anything is compiled or written."""
    folder.check_free(out)
    with locks.held(out):
        folder.check_free(out)
        arena = make_arena(config)
        cast = cast_of(arena, play)
        note(f"market engine: {arena.engine.engine} ({arena.engine.reason})")
        evaluation = evaluate(cast, settings, lambda title, at, total: note(f"{at + 1}/{total} {title}"))
        found = figures(evaluation)
        about = {"format": 1, "command": command, **stamp(), "arena": to_dict(config)}
        drawn = picture(found)
        with whole_folder(out) as temporary:
            numbers = json.dumps(about | found, indent=1, allow_nan=False)
            (temporary / NUMBERS).write_text(numbers + "\n", encoding="utf-8")
            episodes_table(evaluation).write_parquet(temporary / EPISODES)
            style.write(drawn, temporary / FIGURE)
    return found


def episodes_table(evaluation: Evaluation) -> pl.DataFrame:
    """A row for each mixture, episode and seat: who played it, and every figure of it."""
    frames = []
    for profile, world in zip(evaluation.profiles, evaluation.worlds, strict=True):
        for group in evaluation.cast.arena.groups:
            names = evaluation.cast.names(group)
            for account in group.accounts:
                frames.append(
                    pl.DataFrame({
                        "mixture": [profile.title(evaluation.cast)] * world.count,
                        "episode": np.arange(world.count),
                        "group": [group.name] * world.count,
                        "account": np.full(world.count, account),
                        "player": [names[profile.choice[account - 1]]] * world.count,
                        **{name: values[:, account - 1] for name, values in world.seats.items()},
                    })
                )  # fmt: skip
    return pl.concat(frames)
