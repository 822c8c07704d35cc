"""`python -m bench snapshot`: steps a second of the snapshot environment under a random policy, one record each."""

import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from bench import records, timing
from lobjax.env import EnvConfig, Environment, MarketConfig, RecordedConfig, SnapshotConfig, make
from lobjax.env.config import seconds_of_day
from lobjax.errors import InputError, nearest
from lobjax.snapshot import Snapshots, write_npz

INCLUDED = (
    "random actions, sweeps, accounts, values, observations, rewards, info; env.step, with a new episode where one ends"
)
REWARDS = ("value", "hindsight")
_MADE_SNAPSHOTS, _FROM = 20_000, "09:30"


def snapshot(
    *,
    data: Path | None = None,
    envs: str = "1,64,1024",
    reward: str = "value,hindsight",
    levels: int = 5,
    steps: int = 100,
    step_s: float = 1.0,
    runs: int = 5,
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
    records.check_out(out)
    records.check_runs(runs)
    counts = records.numbers("--envs", envs)
    names = [part.strip() for part in reward.split(",")]
    if wrong := [name for name in names if name not in REWARDS]:
        raise InputError(f"--reward {wrong[0]}: unknown; {nearest(wrong[0], REWARDS)}")
    if steps < 1 or not 1 <= levels <= 100:
        raise InputError(f"--steps {steps}, --levels {levels}: give at least one step, and 1 to 100 levels")
    for name in names:
        environment = _environment(data, name, levels, step_s)
        for count in counts:
            record = _measured(environment, name, count, steps, runs, data)
            records.append(out, record)
            print(
                f"{name}: {count:,} environments: {record['steps_per_s']:,} steps/s ({record['steps_per_s_min']:,} to "
                f"{record['steps_per_s_max']:,}), compiled in {record['compile_s']} s",
                file=sys.stderr,
            )


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


def _environment(data: Path | None, reward: Any, levels: int, step_s: float) -> Environment:
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


def _play(environment: Environment, envs: int, steps: int):
    """(key, params) -> what was seen, summed float32 [envs]: everything that a step gives is used, so that none of it is left out."""
    step = jax.vmap(environment.step, in_axes=(0, 0, 0, None))
    sample = jax.vmap(environment.action_space.sample)

    def sums(tree: Any) -> jax.Array:
        return sum(
            (leaf.reshape(envs, -1).astype(jnp.float32).sum(axis=1) for leaf in jax.tree.leaves(tree)), jnp.zeros(envs)
        )

    def play(key: jax.Array, params: Any) -> jax.Array:
        key_reset, key_steps = jax.random.split(key)
        observation, state = jax.vmap(environment.reset, in_axes=(0, None))(jax.random.split(key_reset, envs), params)

        def one(carry: tuple, key: jax.Array) -> tuple[tuple, None]:
            state, seen = carry
            key_act, key_step = jax.random.split(key)
            action = sample(jax.random.split(key_act, envs))
            observation, state, *rest = step(jax.random.split(key_step, envs), state, action, params)
            return (state, seen + sums((observation, rest))), None

        (state, seen), _ = jax.lax.scan(one, (state, sums(observation)), jax.random.split(key_steps, steps))
        return seen + sums(state)

    return play


def _measured(
    environment: Environment, reward: str, envs: int, steps: int, runs: int, data: Path | None
) -> dict[str, Any]:
    params, peak = environment.default_params, timing.device_peak()
    made = timing.compiled(_play(environment, envs, steps), jax.random.key(0), params)
    keys = iter(jax.random.split(jax.random.key(1), 1 + (runs + 1) * timing.MOST_CALLS))
    done = timing.timed(made.call, lambda: (next(keys), params), runs)
    if not np.isfinite(np.asarray(done.result)).all():
        raise SystemExit("error: the environment gave numbers that are not finite; run `make test`")
    rate = records.rates("steps_per_s", [envs * steps / seconds for seconds in done.seconds])
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
