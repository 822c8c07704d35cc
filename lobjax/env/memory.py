"""How much memory environments take, from shapes alone: nothing is allocated, and no engine compiled."""

from dataclasses import replace
from typing import Any

import jax

from lobjax.env.base import Environment
from lobjax.market import Market
from lobjax.memory import Estimate, Part, tree_bytes
from lobjax.settings import key_of


def opening(env: Any, params: Any) -> Any:
    """Shapes of what an environment shows first, and of its state."""
    if isinstance(env, Environment):  # the warm-up changes no shape, and tracing it may compile an engine
        env = replace(env, warm_up_steps=0)
    return jax.eval_shape(env.reset, key_of(0), params)


def state_bytes(env: Any, params: Any) -> int:
    """Of one environment: its state and what it shows."""
    return tree_bytes(opening(env, params))


def step_bytes(env: Any) -> int:
    """Of one environment, while it steps: the random words of as many messages as a step may have."""
    market = getattr(env, "market", None)
    if not isinstance(market, Market) or env.engine.engine == "host":  # which makes them as they are needed
        return 0
    return 4 * market.sizes.draws * market.flow.words


def numbers_part(params: Any) -> Part:
    """An environment's numbers, a recorded day above all, which are there already."""
    return Part(tree_bytes(params), "choose fewer hours or levels of the day")


def stepping(env: Any, many: int, lower: str, copies: float = 3.0) -> Estimate:
    """Of `many` environments that step together; `copies` of their states are there at once. `lower`: what would take less, in words."""
    params = env.default_params
    each = copies * state_bytes(env, params) + step_bytes(env)
    return Estimate({"environments": Part(many * each, lower), "numbers of the environment": numbers_part(params)})
