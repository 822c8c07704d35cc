"""`python -m bench snapshot`: steps a second of the snapshot environment under a random policy, one record each."""

import sys
from pathlib import Path
from typing import Annotated

from bench import recording
from lobjax.errors import InputError, nearest
from lobjax.ranges import Range, ranged

REWARDS = ("value", "hindsight")


@ranged
def snapshot(
    *,
    data: Path | None = None,
    envs: str = "1,64,1024",
    reward: str = "value,hindsight",
    levels: Annotated[int, Range(1, 100)] = 5,
    steps: Annotated[int, Range(1, 1_000_000)] = 100,
    step_s: Annotated[float, Range(1e-3, 86_400.0)] = 1.0,
    runs: Annotated[int, Range(1, 1000)] = 5,
    out: Path | None = None,
) -> None:
    """Measure steps (decisions, one snapshot each) a second. Lists measure every combination.

    Args:
        data: A recorded day, as for `bench env`, or an .npz of snapshots; without one, a day is made up.
        envs: Environments in one call.
        reward: value, hindsight (64 snapshots ahead), or both separated by a comma.
        levels: Levels a side of a made-up day, and that are observed of any.
        steps: Steps of each environment in a call.
        step_s: Seconds between snapshots of a recorded day.
        runs: Of which the record has the median, the least and the most; 5 or more. A run repeats a short call.
        out: A file of JSON lines that records are added to.
    """
    recording.check_out(out)
    recording.check_runs(runs)
    counts = recording.numbers("--envs", envs, 1, 1 << 20)
    names = [part.strip() for part in reward.split(",")]
    if wrong := [name for name in names if name not in REWARDS]:
        raise InputError(f"--reward {wrong[0]}: unknown; {nearest(wrong[0], REWARDS)}")
    from bench.speed import snapshot as work

    for name in names:
        environment = work.made_environment(data, name, levels, step_s)
        for count in counts:
            record = work.measure(environment, name, count, steps, runs, data)
            recording.append(out, record)
            print(
                f"{name}: {count:,} environments: {record['steps_per_s']:,} steps/s ({record['steps_per_s_min']:,} to "
                f"{record['steps_per_s_max']:,}), compiled in {record['compile_s']} s",
                file=sys.stderr,
            )
