"""`python -m bench env`: environment steps a second under a random policy, in recorded and simulated markets; one record each."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np

from bench import recording, timing
from bench.speed import programs
from bench.speed.floor import floor, instructions
from bench.speed.playing import rollout
from lobjax.env import Environment
from lobjax.env.memory import stepping
from lobjax.errors import InputError
from lobjax.flow import PoissonConfig
from lobjax.memory import must_fit
from lobjax.tasks import EnvConfig, MakingConfig, MarketConfig, RecordedConfig, make

QUEUE_PLACES = 16  # a market maker sends four messages a step
EPISODE_MESSAGES, MOST_DECISIONS = 1000, 100  # an episode is no longer than either
CHANGE = "run fewer at a time or with a smaller capacity"
WARM_UP_STEP_S, WARM_UP_MESSAGES = 1.0, 64  # the simulated warm-up goes by the clock
START_EVERY_S = 10.0
_STATES = 4  # of environments at once: before and after a step, inside of it, and at the start of an episode
_ROW_BYTES = 32  # of a recorded message: six fields and a time of two numbers
INCLUDED = {
    "episode": "random actions, observations, rewards, info; whole episodes by env.transition, each begun by env.reset and its warm-up, "
    "all in the time",
    "step": "random actions, observations, rewards, info; env.step, which computes the next episode's start at every step",
}


@dataclass(frozen=True)
class Asked:
    """One measurement."""

    flow: str
    reset: str
    engine: str
    messages: int  # of the flow, in a step
    envs: int
    steps: int  # of one environment in a call
    decisions: int  # of an episode
    capacity: int
    runs: int
    data: Path | None


def made_environment(asked: Asked) -> Environment:
    task = MakingConfig(decisions=asked.decisions, step_messages=asked.messages, step_s=WARM_UP_STEP_S)
    try:
        market = MarketConfig(
            capacity=asked.capacity,
            queue_places=QUEUE_PLACES,
            max_messages=max(WARM_UP_MESSAGES, asked.messages + QUEUE_PLACES),
            engine=asked.engine,  # pyright: ignore[reportArgumentType]
        )
    except ValueError as error:
        raise InputError(f"--capacity: {error}") from None
    if asked.flow == "simulated":
        return make(EnvConfig(task=task, flow=PoissonConfig(), market=market))
    assert asked.data is not None
    recorded = RecordedConfig(path=asked.data, from_time="09:30", start_every_s=START_EVERY_S)
    return make(EnvConfig(task=task, flow=recorded, market=market))


def check_memory(environment: Environment, envs: int) -> None:
    """InputError where so many environments need more memory than there is; nothing compiles."""
    lower = "lower --envs, --capacity or --messages-per-step"
    stepping(environment, envs, lower, copies=_STATES).check(f"{envs:,} environments")


def step_compiled(environment: Environment, envs: int) -> timing.Compiled:
    """`env.step` alone, mapped and compiled, as users compile it."""
    key = jax.random.split(jax.random.key(0), envs)
    reset = jax.vmap(environment.reset, in_axes=(0, None))
    _, state = jax.eval_shape(reset, key, environment.default_params)
    action = jax.eval_shape(jax.vmap(environment.action_space.sample), key)
    step = jax.vmap(environment.step, in_axes=(0, 0, 0, None))
    return timing.compiled(step, key, state, action, environment.default_params)


def measure(
    asked: Asked, environment: Environment, step: timing.Compiled, kernel_record: Path | None
) -> dict[str, Any]:
    name, params = environment.market.runs_on.engine, environment.default_params
    what = f"{name}: {asked.envs:,} environments of capacity {asked.capacity}"
    peak = timing.device_peak()
    play = rollout(environment, asked.reset, asked.envs, asked.steps, asked.decisions)
    made = timing.compiled(play, jax.random.key(0), params)
    must_fit(made.bytes_needed, what, change=CHANGE)
    keys = iter(jax.random.split(jax.random.key(1), 1 + (asked.runs + 1) * timing.MOST_CALLS))
    done = timing.timed(made.call, lambda: (next(keys), params), asked.runs)
    _, seen, wrong = done.result
    bad = {name: int(count) for name, count in wrong.items() if int(count)}
    if not np.isfinite(np.asarray(seen)).all():
        raise SystemExit(f"error: {what} gave observations that are not finite; run `make test`")
    each = _state_bytes(environment)
    moved = 2 * each + 4 * (environment.observation_size + 1)
    moved += _ROW_BYTES * asked.messages if asked.flow == "recorded" else 0
    moved += each if asked.reset == "step" else 0  # the opening of a new episode, read at every step
    rate = recording.rates("steps_per_s", [asked.envs * asked.steps / seconds for seconds in done.seconds])
    kernel = "market_recorded" if asked.flow == "recorded" else "market_poisson"
    counted, where = instructions(kernel_record, kernel, asked.capacity) if name == "kernel" else (None, "")
    counted = counted and counted * asked.messages
    return {
        "bench": "env",
        "engine": name,
        **programs.interpreted(name),
        "flow": asked.flow,
        "task": environment.name,
        "reset": asked.reset,
        "envs": asked.envs,
        "capacity": asked.capacity,
        "messages_per_step": asked.messages,
        "steps_per_call": asked.steps,
        "decisions_per_episode": asked.decisions,
        "included": INCLUDED[asked.reset],
        **rate,
        # Of the flow, those of the warm-up not counted.
        "messages_per_s": recording.rounded(rate["steps_per_s"] * asked.messages),
        "calls_per_run": done.calls,
        **made.record(),
        "step_compile_s": round(step.seconds, 3),
        "step_compiled_numba": step.numba,
        "bytes_per_env": each,
        **timing.memory_record(made.bytes_needed, peak),
        "floor": floor(moved, rate["steps_per_s"], instructions_each=counted, unit="step", also=where),
        "not_zero": bad,  # counts that must be 0 in results; the most that any environment had
    }


def _state_bytes(environment: Environment) -> int:
    _, state = jax.eval_shape(environment.reset, jax.random.key(0), environment.default_params)
    return sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))


def say(record: dict[str, Any]) -> None:
    print(
        f"{record['engine']}, {record['flow']}: {record['envs']:,} environments, {record['messages_per_step']} messages a step: "
        f"{record['steps_per_s']:,} steps/s ({record['steps_per_s_min']:,} to {record['steps_per_s_max']:,}), "
        f"compiled in {record['compile_s']} s, env.step alone in {record['step_compile_s']} s",
        file=sys.stderr,
    )
