"""What every environment promises: gymnax 1.0's contract, and the same numbers however it is run."""

import functools
import hashlib
import os
import subprocess
import sys
from pathlib import Path

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.compiling import quick_jit
from tests.env.environments import TASKS, simulated, trajectory

ROOT = Path(__file__).parents[2]
PREFIX = 6  # steps: past the end of the first episodes
ENVS = 3  # everywhere, so that tests share programs
LOTS = TASKS["execution"].lots


def digest(rows) -> str:
    """A hash of a whole trajectory, to the bit."""
    leaves = jax.tree.leaves(rows)
    return hashlib.sha256(b"".join(np.ascontiguousarray(x).tobytes() for x in leaves)).hexdigest()


@functools.cache
def one_by_one(env):
    """(reset, step) of one environment, compiled once for all that is asked of them here."""
    chex.clear_trace_counter()  # which counts by name
    return jax.jit(chex.assert_max_traces(env.reset, n=1)), jax.jit(chex.assert_max_traces(env.step, n=1))


@pytest.mark.parametrize("task", TASKS)
def test_shapes_types_names_and_auto_reset(task):
    env = simulated(task)
    _, rows = trajectory(env, ENVS, PREFIX)
    assert len(set(env.observation_names)) == env.observation_size
    length = np.zeros(ENVS, np.int32)
    for observation, reward, done, info in rows[1:]:
        assert observation.shape == (3, env.observation_size) and observation.dtype == np.float32
        assert np.isfinite(observation).all() and reward.shape == (3,) and reward.dtype == np.float32
        length += 1
        assert info["episode_length"].tolist() == length.tolist()
        ended = length == env.decisions
        if task == "execution":  # also where nothing is left to sell
            ended |= info["fill_rate"] * LOTS > LOTS - 0.5
        assert done.tolist() == ended.tolist()
        length[done] = 0
        same = (info["final_observation"] == observation).all(1)
        assert same.tolist() == (~done).tolist(), "what is seen is the episode's last, or a new one's first"
        assert {name: int(np.sum(info[name])) for name in ("late", "inexact", "dropped", "displaced", "flow_displaced")} == {
            "late": 0, "inexact": 0, "dropped": 0, "displaced": 0, "flow_displaced": 0,
        }  # fmt: skip
    assert sum(done.sum() for _, _, done, _ in rows) >= ENVS


@pytest.mark.parametrize("task", TASKS)
def test_same_seed_same_trajectory_vmapped_or_one_by_one(task):
    env = simulated(task)
    _, together = trajectory(env, ENVS, PREFIX)
    assert digest(together) == digest(trajectory(env, ENVS, PREFIX)[1])
    reset, step = one_by_one(env)
    sample = env.action_space.sample
    key_reset, key_steps, key_acts = jax.random.split(jax.random.key(0), 3)
    for i, key in enumerate(jax.random.split(key_reset, ENVS)):
        observation, state = reset(key, env.default_params)
        assert np.array_equal(observation, together[0][0][i])
        for t in range(PREFIX):
            action = sample(jax.random.split(jax.random.fold_in(key_acts, t), ENVS)[i])
            key_step = jax.random.split(jax.random.fold_in(key_steps, t), ENVS)[i]
            observation, state, reward, *_ = step(key_step, state, action, env.default_params)
            assert np.array_equal(observation, together[t + 1][0][i]) and reward == together[t + 1][1][i]


def test_same_trajectory_without_jit():
    env = simulated("execution")
    state, compiled = trajectory(env, ENVS, 2)
    other, plain = trajectory(env, ENVS, 2, jit=lambda f: f)
    assert digest(state.market) == digest(other.market)
    for (a, b, c, _), (x, y, z, _) in zip(compiled, plain, strict=True):
        # The market is integers, equal to the bit; features may be rounded once less where XLA fuses them.
        assert (
            np.allclose(a, x, rtol=1e-6, atol=1e-6) and np.allclose(b, y, rtol=1e-6, atol=1e-6) and np.array_equal(c, z)
        )


def test_same_trajectory_on_one_and_on_four_devices():
    printed = []
    for devices in (1, 4):
        flags = f"--xla_force_host_platform_device_count={devices}"
        command = [sys.executable, "-m", "tests.env.four_devices", str(devices)]
        done = subprocess.run(
            command, env=os.environ | {"XLA_FLAGS": flags}, cwd=ROOT, capture_output=True, text=True, timeout=200
        )
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)
    assert printed[0] == printed[1] and len(printed[0].strip()) == 64


@pytest.mark.parametrize("task", TASKS)
def test_both_engines_give_the_same_episode(task):
    host, xla = simulated(task), simulated(task, engine="xla")
    if host.engine.engine != "host":
        pytest.skip(host.engine.reason)
    jit = jax.jit if task == "execution" else quick_jit  # once as users get it
    results = [trajectory(env, ENVS, 4, jit=jit)[1] for env in (host, xla)]
    for (a, b, c, d), (x, y, z, w) in zip(*results, strict=True):
        assert np.array_equal(a, x) and np.array_equal(b, y) and np.array_equal(c, z)
        assert all(np.array_equal(d[name], w[name]) for name in d)


def test_one_trace_serves_a_sweep_over_parameters():
    env = simulated("execution")
    params = env.default_params
    reset, _ = one_by_one(env)
    sizes = [params.replace(task=params.task.replace(lots=jnp.int32(lots))) for lots in (5, 9)]
    assert not np.array_equal(*(reset(jax.random.key(1), each)[0] for each in sizes)), "sizes are data to the one trace"


def test_parameters_can_be_swept_with_vmap():
    env = simulated("market_making")
    params = env.default_params
    scales = jnp.asarray([1.0, 2.0, 4.0], jnp.float32)
    swept = params.replace(task=params.task.replace(per_tick=scales))
    axes = jax.tree.map(lambda _: None, params).replace(
        task=jax.tree.map(lambda _: None, params.task).replace(per_tick=0)
    )
    observation, _ = jax.vmap(env.reset, in_axes=(None, axes))(jax.random.key(3), swept)
    spread = env.observation_names.index("spread")
    assert observation.shape == (3, env.observation_size)
    assert np.allclose(observation[:, spread], observation[0, spread] * scales)
