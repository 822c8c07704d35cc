"""About how much memory an update takes, from shapes alone: what a run says before it compiles, and refuses beyond the machine's."""

from typing import Any

import jax
import jax.numpy as jnp

from lobjax.env.memory import numbers_part, state_bytes, step_bytes
from lobjax.learn import ppo
from lobjax.learn.config import TrainConfig
from lobjax.memory import Estimate, Part, tree_bytes
from lobjax.nets import Head, NetFns, make_net
from lobjax.policy import make_head
from lobjax.settings import key_of

_BANKED = 2  # states of environments beside the bank: inside of a step, and after it
# Of what JAX keeps for the way back, the part that XLA does not compute again: gelu and norms are chains of cheap steps.
_KEPT = {"transformer": 0.6}
_SCALARS = 10  # of a step, beside observation and action: flags, log-probability, value, reward, advantage, target


def estimate(config: TrainConfig, env: Any, runs: int = 1) -> Estimate:
    """Of a run on one device, or one device's part of it where devices have memory of their own; of `runs` of them side by side.

    InputError as `make_head`.
    """
    head = make_head(env.action_space, config.head)
    net = make_net(config.net, env.observation_size, head)
    params = env.default_params
    key = key_of(0)
    weights = jax.eval_shape(lambda: {"net": net.init(key), "head": head.init()})
    moments = jax.eval_shape(ppo.make_optimiser(config.algorithm).init, weights)
    own, copies = _here(config)
    state = own * state_bytes(env, params)
    carry = tree_bytes(jax.eval_shape(lambda: net.initial_carry(own)))
    step = 4 * (3 * env.observation_size + 2 * len(head.bias) + _SCALARS)
    rollout, weight = own * config.rollout_length * step, tree_bytes(weights)
    residuals = _residuals(config, net, head, weights, env.observation_size, own // copies)
    # An update plays, then learns; what the one needs is free again for the other. (Playing, learning) of each part:
    phases = {
        "environments": (
            state * (1 + _BANKED + config.bank_size) + own * step_bytes(env), 2 * state, "lower n_envs or bank_size",
        ),
        "the rollout": (0.5 * rollout, rollout, "lower n_envs or rollout_length"),
        "the network's memory": (2 * carry, 2.25 * carry, "lower n_envs, net.window, net.width or net.layers"),
        "parameters": (
            copies * (weight + tree_bytes(moments)), copies * (3 * weight + tree_bytes(moments)), "take a smaller network (net)",
        ),
        "gradients of a minibatch": (
            0, copies * _KEPT.get(config.net.kind, 1.0) * residuals, "lower n_envs, rollout_length or net, or raise algorithm.minibatches",
        ),
    }  # fmt: skip
    learns = sum(learning - playing for playing, learning, _ in phases.values()) > 0
    fewer = "lower runs_per_program or seeds of the sweep, or " if runs > 1 else ""
    parts = {name: Part(runs * pair[learns], fewer + lower) for name, (*pair, lower) in phases.items()}
    return Estimate(parts | {"numbers of the environment": numbers_part(params)})


def _here(config: TrainConfig) -> tuple[int, int]:
    """Environments and copies of the network in one memory: a device's own, or that of the machine, which its CPU devices share."""
    if jax.default_backend() == "cpu":
        return max(1, config.n_envs // jax.process_count()), max(1, config.devices // jax.process_count())
    return max(1, config.n_envs // config.devices), 1


def _residuals(config: TrainConfig, net: NetFns, head: Head, weights: Any, observation_size: int, n_envs: int) -> int:
    """Bytes that a gradient step keeps of the way forth for the way back, by the arrays that JAX says it keeps."""
    many, time = max(1, n_envs // config.algorithm.minibatches), config.rollout_length

    def shape(*sizes: int, dtype: Any = jnp.float32) -> jax.ShapeDtypeStruct:
        return jax.ShapeDtypeStruct(sizes, dtype)

    carry = jax.eval_shape(lambda: net.initial_carry(many))
    observation, reset = shape(time, many, observation_size), shape(time, many, dtype=jnp.bool_)

    def kept(weights: Any, carry: Any, observation: jax.Array, reset: jax.Array) -> Any:
        def forth(weights: Any) -> Any:
            outputs, value = net.sequence(weights["net"], carry, observation, reset)
            return head.entropy(head.inputs(weights["head"], outputs, 0.0)), value

        return jax.vjp(forth, weights)[1]

    shapes = jax.eval_shape(kept, weights, carry, observation, reset)
    return max(0, tree_bytes(shapes) - tree_bytes(weights))  # which are among them
