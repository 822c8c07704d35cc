"""`python -m bench env`: what a record says, that the timed program plays the environment itself, and one-line errors."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from bench import timing
from bench.commands.env import env
from bench.speed.playing import rollout
from lobjax.errors import InputError
from tests.data.synthetic_lobster import make_rows, write_pair
from tests.env.environments import simulated


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(timing, "LEAST_S", 0.0)


def measure(path: Path, **options) -> list[dict]:
    env(**{"messages_per_step": "2", "envs": "3", "steps": 4, "decisions": 2, "out": path, **options})
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_simulated_markets_are_played_in_whole_episodes(tmp_path: Path, capsys):
    (record,) = measure(tmp_path / "records.jsonl", engine="host")
    assert json.loads(capsys.readouterr().out) == record
    assert (record["bench"], record["engine"], record["flow"], record["reset"]) == (
        "env",
        "host",
        "simulated",
        "episode",
    )
    assert (record["envs"], record["messages_per_step"], record["steps_per_call"], record["runs"]) == (3, 2, 4, 5)
    assert 0 < record["steps_per_s_min"] <= record["steps_per_s"] <= record["steps_per_s_max"]
    assert record["messages_per_s"] == pytest.approx(2 * record["steps_per_s"], rel=1e-3)
    assert record["not_zero"] == {} and record["bytes_per_env"] > 4 * 2 * 128 * 4 and "env.reset" in record["included"]
    assert record["compile_s"] > 0 and record["step_compile_s"] > 0 and record["floor"]["distance"] > 1


def test_a_recorded_day_is_played_by_env_step(tmp_path: Path, monkeypatch):
    once = timing.Compiled(print, 1.5, False, 0)  # to compile env.step alone takes as long again
    monkeypatch.setattr("bench.speed.env.step_compiled", lambda *_: once)
    day = write_pair(tmp_path, *make_rows(levels=3, rows=400, seed=2))
    (record,) = measure(tmp_path / "records.jsonl", engine="host", flow="recorded", data=day)
    assert (record["flow"], record["reset"], record["decisions_per_episode"]) == ("recorded", "step", 2)
    assert record["steps_per_s"] > 0 and "env.step" in record["included"] and record["step_compile_s"] == 1.5


def test_the_timed_program_plays_the_environment():
    def of_all(tree):
        return sum(np.asarray(leaf, np.float64).reshape(envs, -1).sum(1) for leaf in jax.tree.leaves(tree))

    envs, steps, decisions = 2, 4, 2
    environment = simulated("market_making", engine="host")
    params, key = environment.default_params, jax.random.key(3)
    rewards, seen, wrong = jax.jit(rollout(environment, "episode", envs, steps, decisions))(key, params)
    reset = jax.jit(jax.vmap(environment.reset, in_axes=(0, None)))
    step = jax.jit(jax.vmap(environment.transition, in_axes=(0, 0, 0, None)))
    sample = jax.vmap(environment.action_space.sample)
    total, shown = np.zeros(envs, np.float32), np.zeros(envs)
    for episode in jax.random.split(key, steps // decisions):
        key_reset, key_play = jax.random.split(episode)
        observation, state = reset(jax.random.split(key_reset, envs), params)
        shown += observation.sum(1)
        for one in jax.random.split(key_play, decisions):
            key_act, key_step = jax.random.split(one)
            action = sample(jax.random.split(key_act, envs))
            observation, state, reward, *_, info = step(jax.random.split(key_step, envs), state, action, params)
            total, shown = total + reward, shown + of_all((observation, info))
        shown += of_all(state)
    assert np.allclose(rewards, total, rtol=1e-5, atol=1e-5) and np.allclose(seen, shown, rtol=1e-4)
    assert np.abs(total).max() > 0 and all(int(count) == 0 for count in wrong.values())
    assert jnp.shape(rewards) == (envs,)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"flow": "record"}, "--flow record: unknown; did you mean 'recorded'?"),
        ({"engine": "hots"}, "did you mean 'host'?"),
        ({"flow": "recorded"}, "--data: not given"),
        ({"flow": "recorded", "data": Path("/absent.zip")}, "/absent.zip"),
        ({"steps": 5}, "--steps 5: not a multiple of --decisions 2"),
        ({"steps": 0}, "--steps: 0 is out of range"),
        ({"reset": "never"}, "--reset never: unknown"),
        ({"runs": 1}, "--runs 1: too few"),
        ({"capacity": "100"}, "--capacity: capacity 100 must be a power of two"),
        ({"envs": "-1"}, "--envs: '-1' is not a whole number"),
    ],
)
def test_a_bad_argument_is_one_line(tmp_path: Path, options, words):
    with pytest.raises(InputError) as refused:
        measure(tmp_path / "records.jsonl", **options)
    assert words in str(refused.value) and "\n" not in str(refused.value)
