"""Whole updates in both frameworks from the same weights and batches: gradient steps, clipping, Adam."""

from dataclasses import replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import torch

from bench.flax_and_torch import PPO, Setting, batch, torch_batch
from bench.verification.parity.measures import Apart, apart
from lobjax.learn import ppo
from lobjax.learn.torch import ppo as torch_ppo
from lobjax.learn.torch.group import Group
from lobjax.torch_port.weights import flatten


def updates(setting: Setting, params: Any, count: int, device: torch.device) -> dict[int, Apart]:
    """How far the frameworks' changes of the weights are apart after 1 update, and the weights after `count`, in float32 with plain layers.

    Every update has a batch of its own; the old probabilities in it are those of the weights that Flax has then, in both.
    """
    setting = replace(
        setting, envs=8, steps=8
    )  # small: what is looked at is how differences grow from update to update
    net, group = setting.flax("float32"), Group(0, 1, device)
    loss, index = ppo.make_loss(PPO, net, setting.head), jnp.arange(setting.envs, dtype=jnp.int32)
    agent = setting.torch("float32", "plain", device)
    agent.load_params(params)
    optimiser = torch_ppo.make_optimiser(PPO, agent)

    @jax.jit
    def played(params, data):
        outputs, value = net.sequence(params["net"], data.carry, data.observation, data.reset)
        log_prob = setting.head.log_prob(setting.head.inputs((), outputs, 0.0), data.raw_action)
        return data._replace(log_prob=log_prob, value=value)

    @jax.jit
    def step(params, moments, data, key):
        return ppo.optimise(PPO, loss, params, moments, data, index, key, jnp.float32(0), None)[:2]

    order = jax.jit(lambda key: ppo.minibatch_indices(key, index, PPO.epochs, PPO.minibatches))
    start, mine, moments = params, params, ppo.make_optimiser(PPO).init(params)
    found = {}
    for number in range(count):
        key = jax.random.key(number)
        data = played(mine, batch(setting, number))
        mine, moments = step(mine, moments, data, key)
        chosen = torch.from_numpy(np.array(order(key))).long().to(device)
        torch_ppo.optimise(PPO, agent, agent, optimiser, torch_batch(agent, data, device), chosen, 0.0, group)
        if number == 0:
            found[1] = apart(_change(agent.to_params(), start), _change(jax.device_get(mine), start))
    found[count] = apart(flatten(agent.to_params()["net"]), flatten(jax.device_get(mine)["net"]))
    return found


def _change(after: Any, before: Any) -> dict[str, np.ndarray]:
    old = flatten(before["net"])
    return {name: np.asarray(x) - np.asarray(old[name]) for name, x in flatten(after["net"]).items()}
