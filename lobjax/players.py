"""Who plays: policies act from what they observe, strategies look at the whole state and send messages."""

from typing import Any, Protocol, cast

import jax

from lobjax.env import Environment, EnvParams, EnvState


class Policy(Protocol):
    """Whatever acts: a trained agent or a rule. Pure and batched, so that it runs inside a compiled evaluation."""

    def initial_carry(self, n_envs: int) -> Any:
        """What the policy carries from step to step, for `n_envs` environments."""
        ...

    def act(self, key: jax.Array, carry: Any, observation: jax.Array, reset: jax.Array) -> tuple[Any, jax.Array]:
        """The next carry and actions [B, ...] for observations f32[B, D]; `reset` bool[B] marks first observations."""
        ...


class Strategy(Protocol):
    """A rule without memory of its own, for one environment; `vmap` it. It may send what an action space could not express.

    A strategy is a pytree of its numbers, so that strategies of one class share one compiled program.
    """

    def decide(self, env: Environment, state: EnvState, params: EnvParams) -> tuple[Any, Any]:
        """The task's state after this decision (its `step` advanced) and what is sent: in a market of messages, `Orders`."""
        ...


Player = Policy | Strategy


def is_policy(player: Player) -> bool:
    """Whether it acts through the action space, from observations."""
    return hasattr(player, "act")


def first_memory(player: Player, n: int) -> Any:
    """What a player carries into the first decision of `n` episodes side by side."""
    return cast(Policy, player).initial_carry(n) if is_policy(player) else ()
