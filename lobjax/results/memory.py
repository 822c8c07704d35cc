"""How much memory a comparison takes, from shapes alone: players side by side, what is kept of every episode, and the files made of it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax

from lobjax.env import Environment
from lobjax.env.memory import numbers_part, opening, state_bytes, step_bytes
from lobjax.evaluation import Episodes
from lobjax.memory import Estimate, Part, tree_bytes

_FIGURES, _WORD = 40, 4  # scalars of an episode's last `info`, at most, and their bytes
_STATES = 3  # of environments at once: before a step, inside of it, after it
_MEASURED = 512  # episodes that a strategy measures side by side, beforehand
_RESULTS = 2  # copies of what a player did: by batch, and joined
_TABLE = 2  # copies of all figures while they are written
_QUANTILES = 20  # bytes of a watched number while quantiles are drawn


class Acting(NamedTuple):
    """What of an agent takes memory; `lobjax.policy.LoadedPolicy` has these too."""

    initial_carry: Callable[[int], Any]
    params: Any  # or their shapes


def comparing(
    env: Environment,
    episodes: Episodes,
    players: int,
    agent: Any | None = None,
    *,
    fewer: str = "lower episodes",
    measures: bool = False,
) -> Estimate:
    """Of `players` over `episodes`, from playing to the files of results. `agent`: an `Acting`, if one is among them; `measures`: whether
    a strategy measures the market first. `fewer`: how to have fewer episodes, in words."""
    params, count = env.default_params, episodes.count
    beside = min(episodes.batch, count)
    moves = _STATES * state_bytes(env, params) + step_bytes(env)
    side_by_side = max(beside, _MEASURED if measures else 0)
    watched = _watched_bytes(env, params) * (env.decisions + 1)
    figures = _WORD * _FIGURES
    kept = count * players * (figures + watched)
    passing = max(
        count * _RESULTS * (figures + watched),
        count * players * _TABLE * figures,
        count * _QUANTILES * (env.decisions + 1),
        _MEASURED * measures * 3 * _WORD * env.decisions,  # a profile, from float32 to float64
    )
    parts = {
        "environments": Part(side_by_side * moves, "lower batch, or env.market.capacity, queue_places or max_messages"),
        "what is kept of episodes": Part(kept + passing, f"{fewer}, or env.task.decisions"),
        "numbers of the environment": numbers_part(params),
    }
    if agent is not None:
        carry = tree_bytes(jax.eval_shape(lambda: agent.initial_carry(beside)))
        parts["the agent"] = Part(2 * carry + 2 * tree_bytes(agent.params), "take an agent with a smaller network")
    return Estimate(parts)


def _watched_bytes(env: Environment, params: Any) -> int:
    """Of what is kept of one decision."""
    return tree_bytes(jax.eval_shape(env.measures.watch(params), opening(env, params)[1]))
