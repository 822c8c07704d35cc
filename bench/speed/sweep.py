"""`python -m bench sweep`: seeds side by side in one compiled program, as a sweep plays them, against the same runs one after another."""

import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from bench import recording, timing
from lobjax.learn import devices, memory
from lobjax.learn.config import TrainConfig
from lobjax.learn.learner import assemble
from lobjax.learn.sweep import batching, play
from lobjax.learn.tasks import MARKET

BASE = Path(__file__).parents[2] / "configs" / "train" / "market_making.yaml"
DEFAULT = ("net={kind: mlp, hidden: [64, 64]}", "n_envs=64")
CHANGE = "lower --seeds, or n_envs by --set"


def measured(config: TrainConfig, seeds: int, updates: int, runs: int) -> dict[str, Any]:
    """The record."""
    env = MARKET.make(config.env)
    memory.estimate(config, env, runs=seeds).check(f"{seeds} seeds")
    total = seeds * updates * config.batch_size
    beside, beside_s = _together(config, env, seeds, updates, runs)
    after, after_s = _one_by_one(config, env, seeds, updates, runs)
    together = recording.rates("steps_per_s", [total / s for s in beside.seconds])
    apart = recording.rates("one_by_one_steps_per_s", [total / s for s in after.seconds])
    return {
        "bench": "sweep",
        "task": env.name,
        "net": config.net.kind,
        "engine": env.engine.engine,
        "seeds": seeds,
        "n_envs": config.n_envs,
        "rollout_length": config.rollout_length,
        "updates": updates,
        "compile_s": round(beside_s, 2),
        "one_by_one_compile_s": round(after_s, 2),
        **together,
        **apart,
        "ratio": recording.rounded(together["steps_per_s"] / apart["one_by_one_steps_per_s"], 3),
        "includes": "rollout, learning and a report to the host, every update; not compiling, not the start of environments",
    }


def _together(config: TrainConfig, env: Any, seeds: int, updates: int, runs: int) -> tuple[timing.Timed, float]:
    keys = jnp.stack([jax.random.key(seed) for seed in range(seeds)])
    numbers = batching.stack_numbers([config] * seeds)
    constants, axes = batching.stack_constants([env.default_params] * seeds)
    program = play.compile_program(config, env, keys, numbers, constants, axes)
    first = program.init(keys, constants)

    def call(state: Any) -> Any:
        for _ in range(updates):
            state, report = program.update(state, numbers, constants)
            jax.device_get(report)
        return state

    return timing.timed(call, lambda: (jax.tree.map(jnp.copy, first),), runs), program.seconds


def _one_by_one(config: TrainConfig, env: Any, seeds: int, updates: int, runs: int) -> tuple[timing.Timed, float]:
    begun = time.perf_counter()
    learner = assemble(config, env)
    shape = jax.eval_shape(learner.init, jax.random.key(0), env.default_params)
    init = jax.jit(learner.init).lower(jax.random.key(0), env.default_params).compile()
    update = devices.compile_update(learner.make_update, shape, env.default_params, 1)
    compiling = time.perf_counter() - begun
    first = [init(jax.random.key(seed), env.default_params) for seed in range(seeds)]

    def call(*states: Any) -> list[Any]:
        ended = []
        for state in states:
            for _ in range(updates):
                state, report = update(state, env.default_params)
                jax.device_get(report)
            ended.append(state)
        return ended

    return timing.timed(call, lambda: tuple(jax.tree.map(jnp.copy, state) for state in first), runs), compiling
