"""About how much memory an update takes, from shapes alone: what a run says before it compiles, and refuses beyond the machine's."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from lobjax.env.memory import numbers_part, state_bytes, step_bytes
from lobjax.learn import ppo
from lobjax.learn.config import TrainConfig
from lobjax.memory import Estimate, Part, tree_bytes
from lobjax.nets import Head, NetFns, make_net
from lobjax.policy import make_head
from lobjax.results.memory import Acting
from lobjax.settings import key_of

BANKED = 2  # states of environments beside the bank: inside of a step, and after it
# Of what JAX keeps for the way back, the part that XLA does not compute again: gelu and norms are chains of cheap steps.
KEPT = {"transformer": 0.6}
# What would take less, part by part.
ENVIRONMENTS, ROLLOUT = "lower n_envs or bank_size", "lower n_envs or rollout_length"
CARRY, WEIGHTS = "lower n_envs, net.window, net.width or net.layers", "take a smaller network (net)"
RESIDUALS = "lower n_envs, rollout_length or net, or raise algorithm.minibatches"
_SCALARS = 10  # of a step, beside observation and action: flags, log-probability, value, reward, advantage, target


class Sizes(NamedTuple):
    """Bytes of what a run is made of, where so many environments play in one memory: once each, however often it is there."""

    states: int  # of the environments
    words: int  # that a step of theirs draws
    rollout: int
    carry: int  # the network's memory of the environments
    weights: int
    residuals: float  # what a gradient step on one minibatch keeps for the way back


def sizes(config: TrainConfig, env: Any, own: int, copies: int = 1) -> Sizes:
    """Of `own` environments, whose minibatches `copies` of the network share. InputError as `make_head`."""
    head = make_head(env.action_space, config.head)
    net = make_net(config.net, env.observation_size, head)
    weights = jax.eval_shape(lambda: {"net": net.init(key_of(0)), "head": head.init()})
    step = 4 * (3 * env.observation_size + 2 * len(head.bias) + _SCALARS)
    many = max(1, own // copies // config.algorithm.minibatches)
    residuals = residual_bytes(net, head, weights, env.observation_size, many, config.rollout_length)
    return Sizes(
        states=own * state_bytes(env, env.default_params),
        words=own * step_bytes(env),
        rollout=own * config.rollout_length * step,
        carry=tree_bytes(jax.eval_shape(lambda: net.initial_carry(own))),
        weights=tree_bytes(weights),
        residuals=KEPT.get(config.net.kind, 1.0) * residuals,
    )


def estimate(config: TrainConfig, env: Any, runs: int = 1) -> Estimate:
    """Of a run on one device, or one device's part of it where devices have memory of their own; of `runs` of them side by side.

    InputError as `make_head`.
    """
    own, copies = _here(config)
    of = sizes(config, env, own, copies)
    moments = tree_bytes(jax.eval_shape(ppo.make_optimiser(config.algorithm).init, acting(config, env).params))
    # An update plays, then learns; what the one needs is free again for the other. (Playing, learning) of each part:
    phases = {
        "environments": (
            of.states * (1 + BANKED + config.bank_size) + of.words, 2 * of.states, ENVIRONMENTS,
        ),
        "the rollout": (0.5 * of.rollout, of.rollout, ROLLOUT),
        "the network's memory": (2 * of.carry, 2.25 * of.carry, CARRY),
        "parameters": (
            copies * (of.weights + moments), copies * (3 * of.weights + moments), WEIGHTS,
        ),
        "gradients of a minibatch": (0, copies * of.residuals, RESIDUALS),
    }  # fmt: skip
    learns = sum(learning - playing for playing, learning, _ in phases.values()) > 0
    fewer = "lower runs_per_program or seeds of the sweep, or " if runs > 1 else ""
    parts = {name: Part(runs * pair[learns], fewer + lower) for name, (*pair, lower) in phases.items()}
    return Estimate(parts | {"numbers of the environment": numbers_part(env.default_params)})


def _here(config: TrainConfig) -> tuple[int, int]:
    """Environments and copies of the network in one memory: a device's own, or that of the machine, which its CPU devices share."""
    if jax.default_backend() == "cpu":
        return max(1, config.n_envs // jax.process_count()), max(1, config.devices // jax.process_count())
    return max(1, config.n_envs // config.devices), 1


def acting(config: TrainConfig, env: Any) -> Acting:
    """What the agent of a run takes where it plays, before there is one."""
    head = make_head(env.action_space, config.head)
    net = make_net(config.net, env.observation_size, head)
    return Acting(net.initial_carry, jax.eval_shape(lambda: {"net": net.init(key_of(0)), "head": head.init()}))


def residual_bytes(net: NetFns, head: Head, weights: Any, observation_size: int, many: int, time: int) -> int:
    """Bytes that a gradient step over `[time, many]` keeps of the way forth for the way back, by the arrays that JAX says it keeps."""

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
