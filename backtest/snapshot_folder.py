"""What a backtest of a snapshot trader leaves besides the files of every backtest (`backtest.folder`), in place of trace.npz.

snapshots.npz   every episode of every player by decision: position, profit; the clock and the mid
training.json   the agent's learning curves, where its folder has them
"""

import json
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.results import Comparison

PATHS, TRAINING = "snapshots.npz", "training.json"
CURVES = {
    "loss/policy": "policy loss",
    "loss/value": "value loss",
    "rollout/reward": "reward a step",
    "policy/entropy": "entropy",
    "episode/profit_bps": "profit of an episode, bp",
    "episode/traded_lots": "lots traded in an episode",
}


class Paths(NamedTuple):
    """Episodes by decision: `[n, decisions + 1]`, from the opening on."""

    clock_s: np.ndarray  # float32, seconds after midnight
    mid_ticks: np.ndarray  # float32
    position_lots: dict[str, np.ndarray]  # by player, int32
    profit_bps: dict[str, np.ndarray]  # by player, float32


def write(folder: Path, comparison: Comparison, policy: Path | None) -> None:
    """Write both files."""
    any_path = comparison.paths[comparison.first]
    arrays = {"clock_s": any_path["clock_s"], "mid_ticks": any_path["mid2_ticks"].astype(np.float32) / 2}
    for player, path in comparison.paths.items():
        arrays |= {f"position_lots.{player}": path["inventory_lots"], f"profit_bps.{player}": path["profit_bps"]}
    with whole_file(folder / PATHS) as temporary:
        np.savez_compressed(temporary, **arrays)
    with whole_file(folder / TRAINING) as temporary:
        temporary.write_text(json.dumps(_curves(policy)) + "\n", encoding="utf-8")


def read_paths(folder: Path) -> Paths:
    """Read snapshots.npz; InputError where it is missing or damaged."""
    try:
        with np.load(folder / PATHS, allow_pickle=False) as archive:
            arrays = dict(archive)
        return Paths(arrays.pop("clock_s"), arrays.pop("mid_ticks"), *(_of(arrays, name) for name in Paths._fields[2:]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{folder / PATHS}: cannot be read ({error}); run the backtest again") from None


def read_curves(folder: Path) -> dict[str, list[float]]:
    """The learning curves: environment steps under "step", then those of `CURVES` that there are; {} without any."""
    try:
        return json.loads((folder / TRAINING).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder / TRAINING}: cannot be read ({error}); run the backtest again") from None


def _of(arrays: dict[str, np.ndarray], name: str) -> dict[str, np.ndarray]:
    return {key.removeprefix(f"{name}."): value for key, value in arrays.items() if key.startswith(f"{name}.")}


def _curves(policy: Path | None) -> dict[str, list[float]]:
    """From the metrics of the run that left the agent; an episode's figures only where one ended. {} where there are none."""
    if policy is None or not (policy / "metrics.jsonl").is_file():
        return {}
    lines: list[dict[str, Any]] = []
    for line in (policy / "metrics.jsonl").read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:  # the last line of a run that was stopped in the middle of it
            break
    names = ["step", *(name for name in CURVES if lines and name in lines[0])]
    kept = [line for line in lines if line.get("episode/count", 1)]
    return {name: [line[name] for line in kept] for name in names} if kept else {}
