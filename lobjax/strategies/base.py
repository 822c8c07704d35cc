"""What a rule-based strategy is: it looks at an environment's state and sends messages."""

from typing import Any, Protocol

from lobjax.env import Environment, EnvParams, EnvState


class Strategy(Protocol):
    """A rule without memory of its own, for one environment; `vmap` it. It may send what an action space could not express.

    A strategy is a pytree of its numbers, so that strategies of one class share one compiled program.
    """

    def decide(self, env: Environment, state: EnvState, params: EnvParams) -> tuple[Any, Any]:
        """The task's state after this decision (its `step` advanced) and what is sent: in a market of messages, `Orders`."""
        ...
