"""What a backtest of a snapshot trader leaves besides the files of every backtest (`backtest.folder`), in place of trace.npz.

snapshots.npz   every episode of every player by decision: position, profit; the clock and the mid
training.json   the agent's learning curves, where its folder has them
"""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lobjax.display import printable
from lobjax.errors import InputError, nearest
from lobjax.files import whole_file
from lobjax.reading import MiB, exists, read_npz
from lobjax.results import Comparison
from lobjax.results.loading import MOST_SECONDS
from lobjax.results.report.traces import AGAIN, check_array
from lobjax.results.updates import number, read_updates
from lobjax.schema import read_shape

MOST_PATHS = 256 * MiB
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


def write(folder: Path, comparison: Comparison, curves: dict[str, list[float | None]]) -> None:
    """Write both files."""
    any_path = comparison.paths[comparison.first]
    arrays = {"clock_s": any_path["clock_s"], "mid_ticks": any_path["mid2_ticks"].astype(np.float32) / 2}
    for player, path in comparison.paths.items():
        arrays |= {f"position_lots.{player}": path["inventory_lots"], f"profit_bps.{player}": path["profit_bps"]}
    with whole_file(folder / PATHS) as temporary:
        np.savez_compressed(temporary, **arrays)
    with whole_file(folder / TRAINING) as temporary:
        temporary.write_text(json.dumps(curves, allow_nan=False) + "\n", encoding="utf-8")


def read_paths(folder: Path, comparison: Comparison, decisions: int) -> Paths:
    """Read snapshots.npz; InputError where it is missing, damaged, or not of the comparison's players and episodes."""
    path = folder / PATHS
    arrays = read_npz(path, most=MOST_PATHS, advice=AGAIN)
    found = {name: {player: f"{name}.{player}" for player in comparison.players} for name in Paths._fields[2:]}
    wanted = {"clock_s", "mid_ticks", *(key for keys in found.values() for key in keys.values())}
    if odd := sorted(arrays.keys() ^ wanted):
        raise InputError(
            f"{path}: '{printable(odd[0], 80)}' is {'unknown' if odd[0] in arrays else 'missing'}; {AGAIN}"
        )
    for name, array in arrays.items():
        kinds = "iu" if name.startswith("position_lots.") else "f"
        check_array(f"{path}: {printable(name, 80)}", array, kinds, (comparison.count, decisions + 1))
    clock = arrays["clock_s"]
    if (np.diff(clock, axis=1) < 0).any() or not 0 <= clock.min() <= clock.max() <= MOST_SECONDS:
        raise InputError(f"{path}: clock_s goes back, or is no time of day; {AGAIN}")
    own = ({player: arrays[key] for player, key in keys.items()} for keys in found.values())
    return Paths(clock, arrays["mid_ticks"], *own)


def read_curves(folder: Path) -> dict[str, list[float | None]]:
    """The learning curves: environment steps under "step", then those of `CURVES` that there are; {} without any.

    InputError where they are missing or damaged.
    """
    path = folder / TRAINING
    found = read_shape(dict[str, list[float | None]], path, advice=AGAIN)
    if found and (
        set(found) == {"step"} or "step" not in found or None in found["step"] or len({*map(len, found.values())}) > 1
    ):
        raise InputError(f"{path}: not learning curves over steps, all of one length; {AGAIN}")
    if odd := [name for name in found if name != "step" and name not in CURVES]:
        raise InputError(f"{path}: '{printable(odd[0], 80)}' is no learning curve; {nearest(odd[0][:80], CURVES)}")
    return found


def curves_of(policy: Path | None) -> dict[str, list[float | None]]:
    """From the metrics of the run that left the agent; an episode's figures only where one ended. {} where there are none.

    InputError where its metrics are damaged.
    """
    if policy is None or not exists(policy / "metrics.jsonl"):
        return {}
    found: dict[str, list[float | None]] = {}
    for line in read_updates(policy / "metrics.jsonl"):
        found = found or {name: [] for name in ("step", *CURVES) if name in line}
        if line.get("episode/count", 1):
            for name, values in found.items():
                values.append(number(line.get(name)))
    return found if len(found) > 1 and found["step"] else {}
