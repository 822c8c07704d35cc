"""One program of a sweep: trials and seeds side by side under `vmap`, update by update, without the trials that are pruned on the way.

What a program computes depends on its trials and on batches that ended before it, on nothing else: not on what plays beside it or
played in this process before. So a sweep that goes on after a kill repeats what was lost to the same bits.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import jit

from lobjax.learn.config import TrainConfig
from lobjax.learn.learner import TrainState, assemble
from lobjax.learn.progress import Advance
from lobjax.learn.sweep import batching
from lobjax.learn.sweep.config import SweepConfig
from lobjax.learn.sweep.curves import Curves
from lobjax.settings import key_of

Stops = Callable[[int, Mapping[int, float]], set[int]]  # (rung, value of each trial that plays) -> trials to stop


class Job(NamedTuple):
    """Trials of one signature, that one program plays."""

    name: str
    trials: tuple[int, ...]
    configs: tuple[TrainConfig, ...]  # of each trial; the seed is the first of the sweep's seeds


class JobResult(NamedTuple):
    """What came of a job: by trial and seed, and what the machine took for it (which the results do not depend on)."""

    rows: list[dict[str, Any]]  # trial, seed, status, reason, value, updates, steps, rungs, curve
    clock: dict[str, Any]


class Program(NamedTuple):
    """init(keys, constants) -> state, update(state, numbers, constants) -> state, report: of all members of the batch."""

    init: Callable
    update: Callable
    seconds: float  # of compiling


def compile_program(
    config: TrainConfig, env: Any, keys: jax.Array, numbers: dict, constants: Any, axes: Any
) -> Program:
    """Compile for a batch of as many runs as there are keys; `axes`: which leaves of the environment's parameters differ by run."""

    # One run after another: under `vmap` the orthogonal initialisers become batched QR calls, two of which at once wait for ever for
    # the same two threads (jaxlib 0.10.2 on two cores, in its `ParallelBatchMap`).
    def init(keys: jax.Array, constants: Any) -> TrainState:
        learner = assemble(config, env)
        return jax.lax.map(
            lambda i: learner.init(keys[i], batching.constants_of(constants, axes, i)),
            jnp.arange(keys.shape[0], dtype=jnp.int32),
        )

    def update(state: TrainState, values: dict, constants: Any) -> tuple[TrainState, dict[str, Any]]:
        state, report = assemble(batching.with_numbers(config, values), env).make_update(None)(state, constants)
        return state, {"finite": report["finite"], "scalars": report["scalars"]}

    begun = time.perf_counter()
    begin = jit(init).lower(keys, constants).compile()
    states = jax.eval_shape(init, keys, constants)
    go_on = jit(jax.vmap(update, in_axes=(0, 0, axes)), donate_argnums=0).lower(states, numbers, constants).compile()
    return Program(begin, go_on, time.perf_counter() - begun)


class JobRunner:
    """Plays jobs; keeps environments and compiled programs for the jobs after."""

    def __init__(self, sweep: SweepConfig, tasks: Any) -> None:
        self._sweep = sweep
        self._make = batching.environments(tasks)
        self._programs: dict[Any, Program] = {}

    def play(self, job: Job, stops: Stops, advance: Advance = lambda n, note="": None) -> JobResult:
        """Train a job's trials with every seed. `advance` is told environment steps."""
        sweep, config = self._sweep, job.configs[0]
        seeds = [config.seed + i for i in range(sweep.seeds)]
        curves = Curves(sweep, config, job.trials, seeds)
        begun, compiling = time.perf_counter(), 0.0
        now, state, at = [], None, 0
        for rung, until in enumerate(curves.ends):
            before, now = now, curves.members(_width(len(job.trials), len(curves.playing)), now)
            program, arguments, keys, seconds = self._program(job, now, seeds)
            compiling += seconds
            state = program.init(keys, arguments[1]) if state is None else _taken(state, before, now)
            for update in range(at, until):
                state, report = program.update(state, *arguments)
                curves.add(update, now, jax.device_get(report))
                advance(len(now) * config.batch_size)
            at = until
            if until < config.n_updates:
                curves.stop(rung, stops(rung, curves.values(rung)))
            if not curves.playing:
                break
        clock = {
            "job": job.name,
            "runs": len(job.trials) * len(seeds),
            "compile_s": compiling,
            "signature": batching.signature(config),
        }
        return JobResult(curves.rows(), clock | {"seconds": time.perf_counter() - begun})

    def _program(
        self, job: Job, wide: Sequence[tuple[int, int]], seeds: Sequence[int]
    ) -> tuple[Program, tuple, jax.Array, float]:
        """The program for these members, its arguments, their keys, and seconds spent on compiling it now."""
        configs = [job.configs[trial] for trial, _ in wide]
        env = self._make(configs[0].env)
        numbers = batching.stack_numbers(configs)
        constants, axes = batching.stack_constants([self._make(config.env).default_params for config in configs])
        keys = jnp.stack([key_of(seeds[seed]) for _, seed in wide])
        name = (batching.signature(configs[0]), len(wide), str(axes))
        seconds = 0.0
        if name not in self._programs:
            self._programs[name] = compile_program(configs[0], env, keys, numbers, constants, axes)
            seconds = self._programs[name].seconds
        return self._programs[name], (numbers, constants), keys, seconds


def _width(trials: int, playing: int) -> int:
    """Trials of the narrowest program that holds those that play: all, half, a quarter.. so that few are compiled."""
    while playing <= (half := -(-trials // 2)) < trials:
        trials = half
    return trials


def _taken(state: Any, before: Sequence[tuple[int, int]], now: Sequence[tuple[int, int]]) -> Any:
    """The members of now, out of those before."""
    if now == before:
        return state
    place = {member: i for i, member in enumerate(before)}
    chosen = np.array([place[member] for member in now])
    return jax.tree.map(lambda x: x[chosen], state)
