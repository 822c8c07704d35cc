"""What an agent's action means: weights of `N` assets, cash being what is left. JAX, for one portfolio.

clip        [1 + N], cash first: negative parts count as none, the rest is divided by its sum
softmax     [1 + N], any numbers
signed      [1 + N], any numbers: a / sum |a|, so shorts add cash
long_short  [1 + 2 N], none negative: cash, what is bought of each, what is sold short of each, divided by their sum

All zero is all cash. An action with a number that is not finite means nothing: `weights_of` says so, and the portfolio is held. As in
`lobjax.portfolio.device`, nothing is divided by what a row shares.
"""

from typing import Literal, get_args

import jax
import jax.numpy as jnp

Form = Literal["clip", "softmax", "signed", "long_short"]
_LARGE = 2.0**62
FORMS: tuple[str, ...] = get_args(Form)


def parts_of(form: Form, assets: int) -> int:
    """How many numbers an action has."""
    return 1 + (2 if form == "long_short" else 1) * assets


def weights_of(action: jax.Array, form: Form) -> tuple[jax.Array, jax.Array]:
    """Weights [N], which are 0 where the action is none, and whether every number of it is finite."""
    sound = jnp.isfinite(action).all()
    action = jnp.where(sound, action, 0)
    if form == "softmax":
        parts = jnp.exp(action - action.max())
    else:
        parts = action if form == "signed" else jnp.maximum(action, 0)
        most = jnp.abs(parts).max()
        scale = jnp.where(most > _LARGE, 1 / _LARGE, jnp.where(most < 1 / _LARGE, _LARGE, 1.0))
        parts = parts * scale  # so that their sum is finite
    total = jnp.sum(jnp.abs(parts))
    risky = parts[1:]
    if form == "long_short":
        bought, sold = jnp.split(risky, 2)
        risky = bought - sold
    return jnp.where(sound, risky * (1 / jnp.where(total > 0, total, 1)), 0), sound


def within_limits(
    weights: jax.Array, before: jax.Array, leverage_limit: jax.Array, turnover_limit: jax.Array
) -> jax.Array:
    """Weights scaled down so that sum |w| keeps the one limit, then moved from `before` so far only that sum |w - b| keeps the other."""
    gross = jnp.sum(jnp.abs(weights))
    weights = weights * jnp.minimum(1, leverage_limit / jnp.maximum(gross, 1e-30))
    moved = jnp.sum(jnp.abs(weights - before))
    part = jnp.minimum(1, turnover_limit / jnp.maximum(moved, 1e-30))
    return jnp.where(part < 1, before + part * (weights - before), weights)
