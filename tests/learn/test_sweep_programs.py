"""Programs of a sweep: runs side by side equal single ones, all that is said to be data is, and those that stop leave the others alone."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.learn.config import EvaluationConfig
from lobjax.learn.learner import assemble
from lobjax.learn.sweep import batching, play, propose
from lobjax.learn.sweep.play import Job, JobRunner, Program
from tests.compiling import quick_jit
from tests.learn.probes import TASKS
from tests.learn.runs import configuration, parts
from tests.learn.sweeps import loaded

UPDATES = 5
# Batched and single runs are different programs, which round differently: 4e-6 was seen after 5 updates, 2e-5 after 30.
TOLERANCE = 2e-5
CHANGED = {
    "learning_rate": 1e-2, "discount": 0.5, "trace_decay": 0.3, "clip": 0.01, "value_clip": 0.01, "value_coefficient": 2.0,
    "entropy_coefficient": 0.5, "target_kl": 1e-6, "max_gradient_norm": 0.01,
}  # fmt: skip
RUNS = len(CHANGED) + 2


@cache
def base():
    return configuration(
        "recall", n_updates=UPDATES, n_envs=8, length=8, learning_rate=3e-3, value_clip=0.5, target_kl=0.02, epochs=2
    )


@cache
def program() -> Program:
    """A program of 11 runs."""
    config = base()
    env, _, _ = parts(config)
    keys, numbers = jax.random.split(jax.random.key(0), RUNS), batching.stack_numbers([config] * RUNS)
    before, play.jit = play.jit, quick_jit
    try:
        return play.compile_program(config, env, keys, numbers, *batching.stack_constants([env.default_params] * RUNS))
    finally:
        play.jit = before


def together(configs, seeds):
    """Parameters of runs after UPDATES, and the last report."""
    constants = parts(base())[0].default_params
    numbers = batching.stack_numbers(configs)
    state = program().init(jnp.stack([jax.random.key(seed) for seed in seeds]), constants)
    for _ in range(UPDATES):
        state, report = program().update(state, numbers, constants)
    return state.shared.params, jax.device_get(report["scalars"])


@cache
def single(config):
    env, _, _ = parts(config)
    learner = assemble(config, env)
    return quick_jit(learner.init), quick_jit(learner.make_update(None)), env.default_params


def alone(config, seed):
    init, update, constants = single(config)
    state = init(jax.random.key(seed), constants)
    for _ in range(UPDATES):
        state, _ = update(state, constants)
    return state.shared.params


def distance(a, b) -> float:
    return max(float(jnp.abs(x - y).max()) for x, y in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True))


def member(tree, i):
    return jax.tree.map(lambda x: x[i], tree)


def test_eight_seeds_in_one_program_are_eight_single_runs():
    params, _ = together([base()] * RUNS, range(RUNS))
    for seed in range(8):
        assert distance(member(params, seed), alone(base(), seed)) < TOLERANCE
    assert distance(member(params, 0), member(params, 1)) > 100 * TOLERANCE


def test_every_vmappable_number_of_the_algorithm_counts():
    assert set(CHANGED) == set(batching.ALGORITHM) and set(batching.numbers(base())) == set(batching.ALGORITHM)
    algorithm = base().algorithm
    configs = [replace(base(), algorithm=replace(algorithm, **{name: value})) for name, value in CHANGED.items()]
    every = replace(base(), algorithm=replace(algorithm, **CHANGED | {"target_kl": 0.05}))
    assert len({batching.signature(config) for config in [base(), *configs, every]}) == 1
    params, report = together([base(), *configs, every], [3] * RUNS)
    for i, name in enumerate(CHANGED, start=1):
        assert distance(member(params, 0), member(params, i)) > 10 * TOLERANCE, name
    assert distance(member(params, -1), alone(every, 3)) < TOLERANCE
    assert np.allclose(
        report["learning_rate"], [config.algorithm.learning_rate for config in [base(), *configs, every]]
    )


def test_other_shapes_networks_and_bounds_that_are_off_are_other_programs():
    off = replace(base(), algorithm=replace(base().algorithm, value_clip=None))
    others = [off, replace(base(), n_envs=16), replace(base(), net=replace(base().net, hidden=(8,)))]
    same = [replace(base(), seed=9), replace(base(), evaluation=EvaluationConfig(episodes=0))]
    assert len({batching.signature(config) for config in [base(), *others]}) == 4
    assert {batching.signature(config) for config in same} == {batching.signature(base())}


def pretend(config, env, keys, numbers, constants, axes):
    """A program without training: a run reports its learning rate, and is not finite from update 6 on where that is 0.5."""

    def update(state, numbers, constants):
        state = state.at[:, 0].add(1)
        rate = np.asarray(numbers["learning_rate"])
        assert np.array_equal(rate, np.asarray(state[:, 1])), "a run met another's numbers"
        finite = np.asarray((state[:, 0] < 6) | (rate != 0.5))
        scalars = {"episode/return": rate, "episode/count": np.full(len(rate), 2)}
        return state, {"finite": {"1_played": {"reward": finite}}, "scalars": scalars}

    return Program(lambda keys, constants: jnp.stack([jnp.zeros(len(keys)), numbers["learning_rate"]], 1), update, 0.0)


def test_pruned_trials_leave_the_program_and_broken_ones_fail(tmp_path, monkeypatch):
    sweep = loaded(tmp_path, prune={"at": [0.25, 0.5]})
    rates = [0.05, 0.01, 0.08, 0.5, 0.02, 0.07, 0.03, 0.04]
    configs = tuple(sweep.training({"algorithm.learning_rate": rate, "net.hidden": [8]}) for rate in rates)
    widths = []
    made = lambda *a: (widths.append(len(a[2])), pretend(*a))[1]  # noqa: E731
    monkeypatch.setattr(play, "compile_program", made)
    job_runner = JobRunner(sweep.config, TASKS)
    played = job_runner.play(Job("all", tuple(range(8)), configs), lambda r, v: propose.stops(sweep.config, r, [], v))
    assert len(played.rows) == 16 and [row["seed"] for row in played.rows[:2]] == [0, 1]
    rows = {row["trial"]: row for row in played.rows}
    # The best half at update 5 of 20; the broken one among them fails at update 6; three are too few to compare with at update 10.
    assert {trial: row["status"] for trial, row in rows.items()} == {
        0: "complete", 1: "pruned", 2: "complete", 3: "failed", 4: "pruned", 5: "complete", 6: "pruned", 7: "pruned",
    }  # fmt: skip
    assert rows[3]["reason"] == "update 6: 'reward' is not finite" and rows[3]["value"] is None
    assert rows[1]["updates"] == 5 and rows[1]["steps"] == 5 * 32 and rows[1]["value"] == pytest.approx(0.01)
    assert rows[1]["curve"][:5] == pytest.approx([0.01] * 5) and rows[1]["curve"][5:] == [None] * 15
    assert rows[2]["updates"] == 20 and rows[2]["rungs"] == pytest.approx([0.08, 0.08]) and len(rows[2]["curve"]) == 20
    assert widths == [16, 8], (
        "four trials of two seeds play on in half of the batch, and the broken one's are not worth another program"
    )


def test_constants_that_do_not_differ_are_kept_once():
    same, other = ({"a": jnp.arange(3), "b": jnp.float32(b), "none": None} for b in (1, 2))
    stacked, axes = batching.stack_constants([same, other, same])
    assert (
        axes == {"a": None, "b": 0, "none": None} and stacked["a"].shape == (3,) and stacked["b"].tolist() == [1, 2, 1]
    )
    found = batching.constants_of(stacked, axes, 1)
    assert float(found["b"]) == 2 and found["a"].shape == (3,) and found["none"] is None
