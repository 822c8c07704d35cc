"""Children of `os.fork`, which PyTorch's DataLoader, Gunicorn and multiprocessing make: they say at once that JAX cannot work in them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIMIT_S = 500  # of the parent, which compiles, on a busy machine; a child that hangs is ended by its own alarm

CHILDREN = """
import os, signal, sys, warnings

def child(name, call):
    sys.stdout.flush()
    number = os.fork()
    if number == 0:
        signal.alarm(20)
        try:
            said = f"gave {call()}"
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        print(name, said, flush=True)
        os._exit(0)
    _, status = os.waitpid(number, 0)
    if status:
        print(name, "ended by signal", os.WTERMSIG(status), flush=True)

warnings.simplefilter("ignore", RuntimeWarning)  # JAX's, at every fork
"""

FORKED = (
    CHILDREN
    + """
import jax, numpy as np
from lobjax.engine import run_streams
from lobjax.engine.random_streams import random_streams
from lobjax.tasks import EnvConfig, MakingConfig, MarketConfig, make

streams = random_streams(0, 8, 20)
for name in ("host", "reference"):
    run_streams(streams, engine=name, capacity=8)
env = make(EnvConfig(task=MakingConfig(decisions=3, step_messages=5), market=MarketConfig(engine="host", capacity=32)))
key = jax.random.key(0)
reset = jax.jit(env.reset)
_, state = reset(key, env.default_params)
mine = jax.jit(lambda key, state: env.step(key, state, env.action_space.sample(key), env.default_params)[2])
compiled = jax.jit(lambda x: x + 1).lower(1.0).compile()
before = [float(mine(key, state)), float(compiled(1.0))]

child("jitted", lambda: mine(key, state))
child("ahead", lambda: compiled(1.0))
child("streams", lambda: run_streams(streams, engine="host", capacity=8))
child("reset", lambda: env.reset(key, env.default_params))
child("made", lambda: make(EnvConfig()))
child("new", lambda: jax.jit(lambda x: x * 3)(2.0))
child("key", lambda: jax.random.key(7))
child("grandchild", lambda: child("of the child", lambda: jax.random.split(key)))
child("reference", lambda: int(run_streams(streams, engine="reference", capacity=8).traded.sum() >= 0))
child("data", lambda: np.asarray(jax.tree.leaves(state)[0]).size)
assert before == [float(mine(key, state)), float(compiled(1.0))]  # the parent goes on
print("parent went on")
"""
)

WORKERS = """
import concurrent.futures, multiprocessing, sys, warnings
import jax
from torch.utils.data import DataLoader

import lobjax

warnings.simplefilter("ignore")
twice = jax.jit(lambda x: 2 * x)
twice(1.0).block_until_ready()

class Set:
    def __len__(self): return 4
    def __getitem__(self, index): return float(twice(float(index)))

def said(name, call):
    try: print(name, "gave", call(), flush=True)
    except Exception as error: print(name, type(error).__name__, " ".join(str(error).split()), flush=True)

if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    said("loader", lambda: list(DataLoader(Set(), num_workers=2)))
    with fork.Pool(2) as pool:
        said("pool", lambda: pool.map(Set().__getitem__, range(4)))
    with fork.Pool(2, twice, (1.0,)) as pool:
        said("initializer", lambda: pool.map(abs, range(4)))
    with fork.Pool(2, abs, (1.0,)) as pool:
        said("other", lambda: pool.map(abs, range(4)))
    with concurrent.futures.ProcessPoolExecutor(2, fork, initializer=twice, initargs=(1.0,)) as pool:
        said("executor", lambda: list(pool.map(abs, range(4))))
"""

EARLY = (
    CHILDREN
    + """
import jax.numpy as jnp
import lobjax.engine
child("early", lambda: float(jnp.arange(4).sum()))
"""
)


def lines(code: str, folder: Path) -> dict[str, str]:
    (folder / "script.py").write_text(code)
    command, env = [sys.executable, "script.py"], os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stderr
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def test_a_child_says_at_once_that_jax_cannot_work_in_it(tmp_path):
    said = lines(FORKED, tmp_path)
    assert said.pop("parent") == "went on" and said.pop("reference") == "gave 1" and said.pop("data").startswith("gave")
    assert said.pop("grandchild") == "gave None"
    assert set(said) == {"jitted", "ahead", "streams", "reset", "made", "new", "key", "of"}
    for name, words in said.items():
        assert "InputError: this process was forked" in words and "start new processes with spawn" in words, name


def test_data_loaders_and_pools_fail_instead_of_waiting(tmp_path):
    pytest.importorskip("torch")
    said = lines(WORKERS, tmp_path)
    assert "InputError" in said["loader"] and "start new processes with spawn" in said["loader"]
    assert "InputError" in said["pool"] and "start new processes with spawn" in said["pool"]
    assert "InputError" in said["initializer"] and "start new processes with spawn" in said["initializer"]
    assert said["other"] == "gave [0, 1, 2, 3]"
    assert said["executor"].startswith("BrokenProcessPool")


def test_a_fork_before_jax_has_started_works(tmp_path):
    assert lines(EARLY, tmp_path) == {"early": "gave 6.0"}
