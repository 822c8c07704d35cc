"""Short training runs over the probes, for tests. Programs are compiled once and shared by tests that can."""

from dataclasses import replace
from functools import lru_cache

import jax

from lobjax.learn import devices
from lobjax.learn.config import PPOConfig, TrainConfig
from lobjax.learn.learner import make_learner
from lobjax.nets import MLPConfig, NetConfig, make_net
from lobjax.policy import make_head
from tests.learn.probes import ProbeConfig, make

SMALL = MLPConfig(hidden=(32, 32))


def configuration(probe, n_updates=60, n_envs=64, length=8, net: NetConfig = SMALL, **rest):
    """A configuration that solves the probes in seconds; `rest` goes to TrainConfig or, without `algorithm` in it, to PPOConfig."""
    own = {name: rest.pop(name) for name in list(rest) if name in TrainConfig.__dataclass_fields__}
    ppo = PPOConfig(**{"learning_rate": 3e-3, "minibatches": 2, "discount": 0.9} | rest)
    return TrainConfig(
        env=ProbeConfig(probe=probe),
        net=net,
        n_envs=n_envs,
        rollout_length=length,
        total_steps=n_envs * length * n_updates,
        **{"algorithm": ppo} | own,
    )


def parts(config):
    """The environment, network and head of a configuration."""
    env = make(config.env)
    head = make_head(env.action_space, config.head)
    return env, make_net(config.net, env.observation_size, head), head


@lru_cache
def _programs(config):
    """(init, compiled update) for all probes that share the rest of a configuration; the seed does not matter."""
    env, net, head = parts(config)
    learner = make_learner(config, env, net, head)
    init = jax.jit(learner.init)
    state = init(jax.random.key(0), env.default_params)
    return init, devices.compile_update(learner.make_update, state, env.default_params, 1, config.compile == "quick")


def programs(config):
    shared = "simplex" if config.env.probe == "simplex" else "constant"
    return _programs(replace(config, seed=0, env=ProbeConfig(probe=shared)))


def train(config, n_updates=None):
    """Train to the end, or for `n_updates`; returns the state and the last report."""
    init, update = programs(config)
    constants = make(config.env).default_params
    state, report = init(jax.random.key(config.seed), constants), None
    for _ in range(n_updates or config.n_updates):
        state, report = update(state, constants)
    return state, jax.device_get(report)
