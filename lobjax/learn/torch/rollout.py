"""Playing with a torch network: environments, heads and draws stay in JAX, as in `lobjax.learn.rollout`; the network acts in torch.

At equal weights a rollout is the one that Flax plays, up to the rounding of the network's outputs: keys derive from the same numbers.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import torch

from lobjax.learn import rollout
from lobjax.learn.bank import fill_bank
from lobjax.learn.config import TrainConfig
from lobjax.learn.rollout import Local, see
from lobjax.nets import Head, NetFns
from lobjax.nets.statistics import Statistics
from lobjax.playing import Standing, Turn
from lobjax.settings import settled, split_each
from lobjax.torch_port.attention import Cache
from lobjax.torch_port.crossing import to_jax, to_torch
from lobjax.torch_port.transformer import ActorCritic


class Trajectory(NamedTuple):
    """What was played, tensors [T, B, ...] on the learner's device, as `lobjax.learn.rollout.Trajectory`; observations also as read."""

    observation: torch.Tensor
    seen: torch.Tensor
    reset: torch.Tensor
    raw_action: torch.Tensor
    log_prob: torch.Tensor
    value: torch.Tensor
    next_value: torch.Tensor
    reward: torch.Tensor
    terminated: torch.Tensor
    truncated: torch.Tensor


class Environments(NamedTuple):
    """The environments of one process as compiled programs; see `compile_environments`."""

    start: Callable[[jax.Array], Local]
    open: Callable[[Local, int], tuple[Any, jax.Array]]
    see: Callable[[Statistics, jax.Array], jax.Array]
    advance: Callable[..., tuple[Local, jax.Array, dict[str, jax.Array], dict[str, jax.Array]]]


def compile_environments(config: TrainConfig, env: Any, head: Head, part: slice) -> Environments:
    """Compile the JAX side. `part`: which of the run's environments are here.

    start(key) -> Local, carry (); open(local, update) -> bank of starts, keys of the steps; see(statistics, observation);
    advance(local, endings, bank, keys, t, head parameters, progress, outputs) -> local, endings, the step, sums of episodes that ended.
    """
    constants = env.default_params

    @jax.jit
    @settled
    def start(key: jax.Array) -> Local:
        no_net: Any = NetFns(init=lambda key: (), initial_carry=lambda n: (), step=_no_net, sequence=_no_net)
        local = rollout.start(env, constants, no_net, key, config.n_envs)
        if config.normalise_rewards:
            local = replace(local, returned=jnp.zeros(config.n_envs, jnp.float32))
        return jax.tree.map(lambda x: x[part], local)

    @jax.jit
    @settled
    def opened(local: Local, update: jax.Array) -> tuple[Any, jax.Array]:
        keys = jax.vmap(jax.random.fold_in, in_axes=(0, None))(local.key, update)
        bank_keys, step_keys = split_each(keys)
        return fill_bank(config.bank_size, env, constants, bank_keys), step_keys

    @jax.jit
    @settled
    def advance(local: Local, endings, bank, step_keys, t, params, progress, outputs):
        def record(made: Turn) -> tuple[dict[str, jax.Array], dict[str, jax.Array]]:
            step = {
                "raw_action": made.said.raw_action, "log_prob": made.said.log_prob, "reward": made.reward,
                "terminated": made.terminated, "truncated": made.truncated, "final": made.observation,
            }  # fmt: skip
            return step, rollout.finished(made.done, made.info)

        def infer(now: Standing) -> tuple[Any, tuple[jax.Array, Any]]:
            return now.memory, (outputs, ())

        one = rollout.one_turn(env, constants, head, params, progress, bank, step_keys, infer, record)
        last, recorded = one(rollout.standing(local)._replace(ended=endings), t)
        return rollout.after(local, last), last.ended, *recorded

    return Environments(start, opened, jax.jit(lambda statistics, x: see(config, statistics, x)), advance)


@torch.no_grad()
def collect(
    config: TrainConfig,
    environments: Environments,
    net: ActorCritic,
    head_params: Any,
    statistics: Statistics,
    progress: float,
    local: Local,
    cache: Cache,
    update: int,
) -> tuple[Local, Cache, Trajectory, dict[str, jax.Array]]:
    """Play `rollout_length` steps. Returns where things stand, the trajectory, and sums over episodes that ended."""
    device = net.actor.weight.device
    bank, step_keys = environments.open(local, update)
    endings = jnp.zeros(local.index.shape, jnp.int32)
    rows: list[dict[str, torch.Tensor]] = []
    sums: dict[str, jax.Array] = {}
    for t in range(config.rollout_length):
        row = _observed(environments, statistics, local, device)
        cache, (outputs, row["value"]) = net.step(cache, row["seen"], row["reset"])
        args = local, endings, bank, step_keys, t, head_params, jnp.float32(progress), to_jax(outputs)
        local, endings, step, ended = environments.advance(*args)
        sums = {name: x + sums.get(name, 0) for name, x in ended.items()}
        final = step.pop("final")
        row |= {name: to_torch(x, device) for name, x in step.items()}
        row["next_value"] = torch.zeros_like(row["value"])
        if bool(row["truncated"].any()):
            seen = to_torch(environments.see(statistics, final), device)
            row["next_value"] = net.step(cache, seen, torch.zeros_like(row["reset"]))[1][1]
        rows.append(row)
    last = _observed(environments, statistics, local, device)
    last_value = net.step(cache, last["seen"], last["reset"])[1][1]
    whole = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
    following = torch.cat([whole["value"][1:], last_value[None]])
    whole["next_value"] = torch.where(whole["truncated"], whole["next_value"], following)
    return local, cache, Trajectory(**whole), sums


def _observed(
    environments: Environments, statistics: Statistics, local: Local, device: torch.device
) -> dict[str, torch.Tensor]:
    seen = environments.see(statistics, local.observation)
    arrays = {"observation": local.observation, "seen": seen, "reset": local.reset}
    return {name: to_torch(x, device) for name, x in arrays.items()}


def _no_net(*_: Any) -> Any:
    raise AssertionError("the network is torch's")
