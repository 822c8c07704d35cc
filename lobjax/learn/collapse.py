"""Telling when a policy has come to do nothing: what it chooses, and one line when that is to wait.

An environment says which choice does nothing: `env.idle`, the part of a simplex that waits (an int), or the choice in every dimension
(a tuple). Without it only episodes that trade nothing are seen.
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

IDLE_SHARE = 0.98  # of the action, averaged over an update, from which a policy does nothing
FILLED_SHARE = 0.02  # of the parent order, or lots traded in an episode, below which nothing comes of it
IN_A_ROW = 3  # updates; one alone may be chance
TRADED = ("fill_rate", "traded_lots")  # what a task calls it


class Habits(NamedTuple):
    """Means over the steps of an update."""

    scalars: dict[str, jax.Array]
    vectors: dict[str, jax.Array]


def habits(idle: int | tuple[int, ...] | None, action: jax.Array) -> Habits:
    """What actions [T, B, n] say: the share that is idle, and for points of a simplex how often each part is the largest."""
    is_simplex = jnp.issubdtype(action.dtype, jnp.floating)
    vectors = {}
    if is_simplex:
        largest = jax.nn.one_hot(
            jax.lax.argmax(action, action.ndim - 1, jnp.int32), action.shape[-1], dtype=jnp.float32
        )
        vectors["largest"] = largest.reshape(-1, action.shape[-1]).mean(axis=0)
    if idle is None:
        return Habits({}, vectors)
    waits = (
        action[..., idle]
        if is_simplex
        else jnp.all(action == jnp.asarray(idle, jnp.int32).reshape((1,) * (action.ndim - 1) + (-1,)), axis=-1)
    )
    return Habits({"action/idle": waits.astype(jnp.float32).mean()}, vectors)


class Watch:
    """Looks at the metrics of every update and warns of a collapse, at most once in `every` updates."""

    def __init__(self, every: int = 100) -> None:
        self._every, self._spoke, self._held = every, -every, 0

    def look(self, line: dict[str, Any]) -> str | None:
        """A warning in one line, or None."""
        signs = _signs(line)
        self._held = self._held + 1 if signs else 0
        if self._held < IN_A_ROW or line["update"] - self._spoke < self._every:
            return None
        self._spoke = line["update"]
        return (
            f"warning: update {line['update']}: the policy has come to do nothing ({', '.join(signs)}); see action/* in metrics.jsonl, "
            "then raise entropy_coefficient, lower learning_rate, or look at what waiting is paid"
        )


def _signs(line: dict[str, Any]) -> list[str]:
    signs = []
    if line.get("action/idle", 0.0) >= IDLE_SHARE:
        signs.append(f"{100 * line['action/idle']:.1f}% of its actions wait")
    if line.get("episode/count"):
        for name in TRADED:
            value = line.get(f"episode/{name}")
            if value is not None and value <= FILLED_SHARE:
                signs.append(f"episode/{name} is {value:.3f}")
    return signs
