"""Sweeps as a user starts them: killed and started again, on a local Ray, in a market. Each compiles programs."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import polars as pl
import pytest

from lobjax.flow import PoissonConfig
from lobjax.learn.config import EvaluationConfig, TrainConfig
from lobjax.learn.learner import assemble
from lobjax.learn.sweep import batching, play, propose
from lobjax.learn.sweep.config import load_sweep
from lobjax.learn.sweep.run import jobs_of
from lobjax.nets import MLPConfig
from lobjax.tasks import EnvConfig, MakingConfig, MarketConfig, make
from tests.compiling import FLAGS, quick_jit
from tests.learn.sweeps import written

ROOT = Path(__file__).parents[2]
# Not `-m tests.learn.probes`: what a script defines itself cannot be told apart from the module's own on another worker.
COMMAND = (
    "import sys; from tests.learn.probes import TASKS; from train.__main__ import main; main(sys.argv[1:], tasks=TASKS)"
)
QUICK = {
    "trials": 8,
    "batch": 4,
    "runs_per_program": 4,
    "prune": {"at": [0.25], "least": 1},
}  # two programs a batch, or three

pytestmark = pytest.mark.slow


def start(*arguments) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "sweep", *map(str, arguments)], cwd=ROOT,
        env=os.environ | {"XLA_FLAGS": FLAGS, "JAX_PLATFORMS": "cpu"}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def finish(process: subprocess.Popen) -> str:
    out, _ = process.communicate(timeout=900)
    assert process.returncode == 0, out
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> tuple[Path, Path]:
    """The configuration of a sweep, and the folder of one that was never stopped."""
    folder = tmp_path_factory.mktemp("sweep")
    config = written(folder, **QUICK)
    finish(start(config, "--out", folder / "whole"))
    return config, folder / "whole"


def test_a_killed_sweep_goes_on_to_the_same_table(whole, tmp_path):
    config, done = whole
    process = start(config, "--out", tmp_path / "killed")
    deadline = time.monotonic() + 600
    while not (tmp_path / "killed" / "trials.parquet").exists():
        assert process.poll() is None and time.monotonic() < deadline, "ended, or hung, before its first program"
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    rows = len(pl.read_parquet(tmp_path / "killed" / "trials.parquet"))
    assert 0 < rows < 16, "it was killed too late"
    assert "played before" in finish(start(config, "--out", tmp_path / "killed"))
    for name in ("trials.parquet", "report.md"):
        assert (tmp_path / "killed" / name).read_bytes() == (done / name).read_bytes()
    statuses = pl.read_parquet(done / "trials.parquet")["status"].value_counts()
    assert set(statuses["status"]) == {"complete", "pruned"}


@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed; pip install -e '.[ray]'")
@pytest.mark.skipif(os.cpu_count() == 1, reason="two workers need two cores")
def test_two_ray_workers_give_the_same_table(whole, tmp_path):
    config, done = whole
    out = finish(start(config, "--out", tmp_path / "ray", "--ray", "local"))
    said = re.search(r"ray: (\d+) cores and \d+ GPUs", out)
    assert said and 2 <= int(said[1]) <= (os.cpu_count() or 0), "there were no two workers at once"
    assert (tmp_path / "ray" / "trials.parquet").read_bytes() == (done / "trials.parquet").read_bytes()


CHANGED = {
    "env.task.inventory_penalty": 0.3,
    "env.market.maker_fee_milliticks": 900,
    "env.market.taker_fee_milliticks": 900,
    "env.market.feed_delay_ns": 300_000_000,
    "env.market.order_delay_ns": 2_500_000_000,  # of the two delays their sum counts
}


def test_every_vmappable_number_of_a_market_counts_and_lanes_are_single_runs():
    assert set(CHANGED) == set(batching.ENVIRONMENT)
    env = EnvConfig(
        task=MakingConfig(decisions=4, step_s=6.0, quote_lots=3, inventory_limit_lots=6, offsets_ticks=(-1, 0)),
        flow=PoissonConfig(warm_up_s=4.0),
        market=MarketConfig(capacity=64, max_messages=256),
    )
    base = TrainConfig(
        env=env, net=MLPConfig(hidden=(8,)), n_envs=8, rollout_length=4, total_steps=96, evaluation=EvaluationConfig(episodes=0)
    )  # fmt: skip
    configs = [base]
    for key, value in CHANGED.items():
        _, part, name = key.split(".")
        configs.append(replace(base, env=replace(env, **{part: replace(getattr(env, part), **{name: value})})))
    assert len({batching.signature(config) for config in configs}) == 1
    environments = [make(config.env) for config in configs]
    constants, axes = batching.stack_constants([each.default_params for each in environments])
    assert any(axis is None for axis in jax.tree.leaves(axes, is_leaf=lambda axis: axis is None))
    keys, numbers = jnp.stack([jax.random.key(1)] * len(configs)), batching.stack_numbers(configs)
    program = play.compile_program(base, environments[0], keys, numbers, constants, axes)
    state, rewards = program.init(keys, constants), 0
    for _ in range(3):
        state, report = program.update(state, numbers, constants)
        rewards = rewards + jax.device_get(report["scalars"]["rollout/reward"])
    assert len(set(rewards.tolist())) == len(configs), dict(zip(["none", *CHANGED], rewards, strict=True))
    learner = assemble(base, environments[0])
    single, update = (
        quick_jit(learner.init)(keys[0], environments[0].default_params),
        quick_jit(learner.make_update(None)),
    )
    for _ in range(3):
        single, _ = update(single, environments[0].default_params)
    for a, b in zip(jax.tree.leaves(single.shared.params), jax.tree.leaves(state.shared.params), strict=True):
        assert float(jnp.abs(a - b[0]).max()) < 1e-4  # 48 steps of Adam; 4e-5 was seen
    same = jax.tree.map(
        lambda a, b: bool((a == b[0]).all()), single.local.state.market.book, state.local.state.market.book
    )
    assert all(jax.tree.leaves(same)), "the market is integers: one of a batch equals a single run's to the bit"


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "sweep").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_configurations_that_come_with_the_package_are_sound(path):
    sweep = load_sweep(path)
    assert sweep.n_trials >= 10 and len(jobs_of(sweep, 0, propose.batch(sweep, 0, []))) <= 2
