"""Action heads: from a network's outputs to a distribution over actions.

A head is written for one action space and broadcasts over leading dimensions `[...]`. Its `inputs` joins the network's
outputs, its own parameters and the progress of training (0 to 1) into what the other functions read. Trajectories store the *raw* action,
whose density is taken; `to_action` gives what the environment wants.
"""

from typing import Any, Protocol

import jax

SPACES = ("simplex", "product of choices")  # sizes: n parts; the numbers of choices, as a tuple


class Head(Protocol):
    """What the learner asks of a distribution over actions."""

    @property
    def bias(self) -> tuple[float, ...]:
        """Where the network's outputs start; its length is the number of outputs."""
        ...

    def init(self) -> Any:
        """Parameters of the head itself (a pytree, possibly empty)."""
        ...

    def inputs(self, params: Any, outputs: jax.Array, progress: jax.Array | float) -> Any: ...

    def sample(self, key: jax.Array, inputs: Any) -> jax.Array: ...

    def mode(self, inputs: Any) -> jax.Array:
        """The one raw action that stands for the distribution where nothing is drawn; each head says which."""
        ...

    def log_prob(self, inputs: Any, raw: jax.Array) -> jax.Array: ...

    def entropy(self, inputs: Any) -> jax.Array: ...

    def to_action(self, raw: jax.Array) -> jax.Array: ...

    def summary(self, raw: jax.Array) -> dict[str, jax.Array]:
        """Means over all leading dimensions that say what the policy does, as named vectors."""
        ...


class SimplexHead(Head, Protocol):
    """A head whose actions are shares of a whole, f32[..., n]."""

    def action_log_prob(self, inputs: Any, raw: jax.Array) -> jax.Array:
        """The log-density of the action itself over the simplex (Lebesgue measure of its first n - 1 shares)."""
        ...
