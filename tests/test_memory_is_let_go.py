"""What is no longer used is let go, as in a long notebook session: environments, learners and policies, with programs and arrays."""

import functools
import gc
import importlib.util
import inspect
import pkgutil
import re
import weakref
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import backtest
import lobjax
from lobjax.evaluation import Episodes, play_episodes
from lobjax.learn import devices
from lobjax.learn.learner import make_learner
from lobjax.nets import GRUConfig, MLPConfig, make_net
from lobjax.policy import make_head
from tests import memory
from tests.compiling import quick_jit
from tests.env.environments import simulated
from tests.learn import probes
from tests.learn.runs import configuration, parts

ROUNDS = 2
# Unbounded caches of functions with parameters, and what bounds them.
NAMED = {
    "lobjax.ffi.handlers.register": "by the names of handlers",
    "lobjax.ranges._hints": "by classes of configurations",
}
CACHE = re.compile(r"from functools import.*cache|functools\.(lru_)?cache")


class Waits:
    """A policy that holds an array of its own, and waits."""

    def __init__(self, env):
        self.action = jnp.asarray(env.idle, jnp.int32)

    def initial_carry(self, n_envs):
        return ()

    def act(self, key, carry, observation, reset):
        return carry, jnp.broadcast_to(self.action, (len(observation), *self.action.shape))


def _environment() -> list:
    env = simulated.__wrapped__("market_making")
    reset, step = quick_jit(jax.vmap(env.reset, in_axes=(0, None))), quick_jit(env.transition)
    _, state = reset(jax.random.split(jax.random.key(0), 2), env.default_params)
    one = jax.tree.map(lambda x: x[0], state)
    jax.block_until_ready(step(jax.random.key(1), one, jnp.asarray(env.idle), env.default_params))
    return [env, env.market, reset]


def _policy() -> list:
    env = simulated.__wrapped__("market_making")
    policy = Waits(env)
    play_episodes(env, env.default_params, policy, Episodes(count=2, seed=0))
    return [env, policy]


def _learner() -> list:
    config = configuration("constant", n_envs=4, length=2, net=MLPConfig(hidden=(8,)))
    env, net, head = parts(config)
    learner = make_learner(config, env, net, head)
    init = quick_jit(learner.init)
    state = init(jax.random.key(0), env.default_params)
    update = devices.compile_update(learner.make_update, state, env.default_params, 1, True)
    jax.block_until_ready(update(state, env.default_params))
    return [env, learner.init, init, net.init]


def _network() -> list:
    head = make_head(probes.make(probes.ProbeConfig(probe="constant")).action_space, None)
    net = make_net(GRUConfig(width=16), 4, head)
    init, step = quick_jit(net.init), quick_jit(net.step)  # `init` by itself is hundreds of programs of one operation
    step(init(jax.random.key(0)), net.initial_carry(2), jnp.zeros((2, 4)), jnp.ones(2, bool))
    return [net.init, init, step]


@pytest.mark.parametrize("use", [_environment, _policy, _learner, _network])
def test_what_was_used_is_let_go(use: Callable[[], list]):
    held = []
    for k in range(ROUNDS):
        held += [weakref.ref(thing) for thing in use()]
        now = memory.arrays(), memory.programs()
        if k == 0:
            first = now  # what the first use leaves is JAX's own, of single operations
    assert [thing() for thing in held if thing() is not None] == []
    assert now == first


def test_making_an_environment_again_keeps_nothing():
    simulated.__wrapped__("execution")
    before = memory.arrays(), memory.programs()
    held = [weakref.ref(simulated.__wrapped__("execution")) for _ in range(5)]
    assert (memory.arrays(), memory.programs()) == before
    assert all(thing() is None for thing in held)


def _modules():
    for package in (lobjax, backtest):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                yield found.name


def test_caches_of_the_library_have_a_bound():
    """A cache of a function with parameters grows with what it is asked; one without a bound holds programs and flows for good."""
    seen = {}
    for name in _modules():
        if CACHE.search(importlib.util.find_spec(name).loader.get_source(name) or ""):
            for value in vars(importlib.import_module(name)).values():
                if isinstance(value, functools._lru_cache_wrapper) and inspect.signature(value).parameters:
                    seen[f"{value.__module__}.{value.__name__}"] = value.cache_info().maxsize
    assert "lobjax.engine.xla._compiled" in seen
    assert {name for name, bound in seen.items() if bound is None} <= NAMED.keys()


def test_a_large_process_lets_go_of_what_tests_keep(monkeypatch):
    env = weakref.ref(simulated("execution", levels=4))  # in a cache of the tests
    add = jax.jit(lambda x: x + np.float32(1))
    add(jnp.zeros(3, jnp.float32))
    gc.collect()
    assert env() is not None and add._cache_size() == 1
    monkeypatch.setattr(memory, "_left", 0)
    monkeypatch.setattr(memory, "_WORTH_BYTES", 0)
    assert not memory.let_go_beyond(1 << 50) and env() is not None
    assert memory.let_go_beyond(0) and env() is None and add._cache_size() == 0
    monkeypatch.setattr(memory, "_left", 1 << 50)
    assert not memory.let_go_beyond(0)  # what did not go is not asked again
