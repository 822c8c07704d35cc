"""`python -m bench snapshot`: steps a second of the snapshot environment under a random policy, one record each."""

from pathlib import Path
from typing import Any

import jax
import numpy as np

from bench import recording, timing
from bench.speed.playing import rollout
from lobjax.env import Environment
from lobjax.env.memory import stepping
from lobjax.flow.recorded import seconds_of_day
from lobjax.snapshot import Snapshots, write_npz
from lobjax.tasks import EnvConfig, MarketConfig, RecordedConfig, SnapshotConfig, make

INCLUDED = (
    "random actions, sweeps, accounts, values, observations, rewards, info; env.step, with a new episode where one ends"
)
_MADE_SNAPSHOTS, _FROM = 20_000, "09:30"


def made_up(count: int, levels: int, seed: int = 0) -> Snapshots:
    """A day of `count` snapshots, one a second from 09:30 on, whose mid wanders."""
    rng = np.random.default_rng(seed)
    mid = 20_000 + np.cumsum(rng.integers(-6, 7, count))
    sides = []
    for sign in (-1, 1):
        away = np.cumsum(rng.integers(1, 5, (count, levels)), axis=1)
        sides.append(np.stack([mid[:, None] + sign * away, rng.integers(1, 9, (count, levels))], -1).astype(np.int32))
    bids, asks = sides
    return Snapshots(bids, asks, (seconds_of_day(_FROM) + np.arange(count)) * 10**9)


def made_environment(data: Path | None, reward: Any, levels: int, step_s: float) -> Environment:
    from tempfile import TemporaryDirectory

    task = SnapshotConfig(reward=reward, step_s=step_s)
    market = MarketConfig(levels=levels)
    if data is not None:
        flow = RecordedConfig(path=data, from_time=_FROM, start_every_s=step_s)
        return make(EnvConfig(task=task, flow=flow, market=market))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "made_up.npz"
        write_npz(path, made_up(_MADE_SNAPSHOTS, levels))
        return make(
            EnvConfig(task=task, flow=RecordedConfig(path=path, from_time=_FROM, start_every_s=1.0), market=market)
        )


def measure(
    environment: Environment, reward: str, envs: int, steps: int, runs: int, data: Path | None
) -> dict[str, Any]:
    stepping(environment, envs, "lower --envs or --levels").check(f"{envs:,} environments")
    params, peak = environment.default_params, timing.device_peak()
    made = timing.compiled(rollout(environment, "step", envs, steps, steps), jax.random.key(0), params)
    keys = iter(jax.random.split(jax.random.key(1), 1 + (runs + 1) * timing.MOST_CALLS))
    done = timing.timed(made.call, lambda: (next(keys), params), runs)
    _, seen, _ = done.result
    if not np.isfinite(np.asarray(seen)).all():
        raise SystemExit("error: the environment gave numbers that are not finite; run `make test`")
    rate = recording.rates("steps_per_s", [envs * steps / seconds for seconds in done.seconds])
    market: Any = params.market
    return {
        "bench": "snapshot",
        "reward": reward,
        "data": data.name if data else "made up",
        "snapshots": int(market.bids.shape[0]),
        "levels": int(market.bids.shape[1]),
        "envs": envs,
        "steps_per_call": steps,
        "included": INCLUDED,
        **rate,
        "calls_per_run": done.calls,
        **made.record(),
        "day_bytes": int(market.bids.nbytes + market.asks.nbytes),
        **timing.memory_record(made.bytes_needed, peak),
    }
