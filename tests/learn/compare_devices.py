"""Run as a module under several virtual devices: prints how far training on 4 is from training on 1, as JSON, for each algorithm."""

import json
import sys

import jax
import numpy as np

from lobjax.learn import checkpoint, devices
from lobjax.learn.algorithm import ActorCriticConfig
from lobjax.learn.learner import make_learner
from lobjax.nets import DirichletConfig, MLPConfig, TransformerConfig
from tests.learn.runs import configuration, parts

NET = TransformerConfig(layers=1, width=16, heads=2, window=4)


def state_after(learner, constants, state, n_devices, n_updates=3):
    state = devices.split(jax.tree.map(jax.numpy.copy, state), n_devices)
    update = devices.compile_update(learner.make_update, state, constants, n_devices)
    for _ in range(n_updates):
        state, report = update(state, constants)
    return checkpoint.to_arrays(devices.whole(state, n_devices)), jax.device_get(report)


def compare(config):
    """The greatest differences in every part of the state and in every metric, and whether the rest is equal."""
    env, net, head = parts(config)
    learner = make_learner(config, env, net, head)
    first = jax.jit(learner.init)(jax.random.key(0), env.default_params)
    results = [state_after(learner, env.default_params, first, n) for n in (1, 4)]
    (one, one_report), (four, four_report) = results
    floats = {k: float(np.abs(one[k] - four[k]).max()) for k in one if one[k].dtype == np.float32}
    exact = all((one[k] == four[k]).all() for k in one if one[k].dtype != np.float32)
    scalars = {
        k: abs(float(one_report["scalars"][k]) - float(four_report["scalars"][k])) for k in one_report["scalars"]
    }
    same_names = one.keys() == four.keys() and one_report["scalars"].keys() == four_report["scalars"].keys()
    moved = max(float(np.abs(v).max()) for k, v in one.items() if k.startswith("shared.moments"))
    scales = [float(x["shared.returns.variance"]) for x in (one, four) if "shared.returns.variance" in x]
    return {"floats": floats, "exact": exact, "scalars": scalars, "names": same_names, "moved": moved, "scales": scales}


def main():
    ppo = configuration(
        "simplex", n_envs=16, net=NET, minibatches=2, target_kl=0.5, discount=1.0, normalise_rewards=True
    )
    small, plain = MLPConfig(hidden=(8,)), ActorCriticConfig(learning_rate=3e-3)
    actor_critic = configuration("simplex", n_envs=16, net=small, head=DirichletConfig(), algorithm=plain)
    json.dump({"ppo": compare(ppo), "actor_critic": compare(actor_critic)}, sys.stdout)


if __name__ == "__main__":
    main()
