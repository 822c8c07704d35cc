"""Events that begin mild and come to what is configured, linear over updates."""

from dataclasses import dataclass
from typing import Annotated

import jax
import jax.numpy as jnp

from lobjax.arena import ArenaParams
from lobjax.arena.events import ONE
from lobjax.ranges import Length, Range, check

_MOST_START = 4_294_967_040.0  # the largest float32 below 2^32
_Share = Annotated[float, Range(0.0, 1.0)]
_FromTo = Annotated[tuple[_Share, _Share], Length(2, 2)]


@dataclass(frozen=True, kw_only=True)
class CurriculumConfig:
    """Events that begin mild: each is [from, to], linear over updates, and reached after `until` of the run.

    `start_probability` replaces that of the arena's events. `intensity` is the share of their strength beyond calm: 0 is none, 1 as
    configured.
    """

    start_probability: _FromTo | None = None
    intensity: _FromTo | None = None
    until: Annotated[float, Range(0.01, 1.0)] = 1.0

    def __post_init__(self) -> None:
        check(self)
        if self.start_probability is None and self.intensity is None:
            raise ValueError("nothing to change; give start_probability or intensity as [from, to]")


def share_of(config: CurriculumConfig, update: jax.Array, n_updates: int) -> jax.Array:
    """How far the curriculum has come in update number `update` int32[], f32[] from 0 to 1."""
    last = max(round(config.until * n_updates) - 1, 1)
    return jnp.minimum(update.astype(jnp.float32) / last, 1.0)


def at(config: CurriculumConfig | None, params: ArenaParams, update: jax.Array, n_updates: int) -> ArenaParams:
    """The numbers of the arena in update number `update` int32[] of `n_updates`."""
    if config is None:
        return params
    share, events = share_of(config, update, n_updates), params.events
    if config.start_probability is not None:
        probability = _between(config.start_probability, share)
        start = jnp.minimum(probability * jnp.float32(2**32), _MOST_START).astype(jnp.uint32)
        events = events.replace(start=start, certain=probability >= 1)
    if config.intensity is not None:
        strong = events.intensity.astype(jnp.float32)
        low, high = strong[:, 0], strong[:, 0] + strong[:, 1] - 1
        part = _between(config.intensity, share)
        low, high = (jnp.round(ONE + part * (x - ONE)) for x in (low, high))
        events = events.replace(intensity=jnp.stack([low, high - low + 1], axis=1).astype(jnp.uint32))
    return params.replace(events=events)


def _between(ends: tuple[float, float], share: jax.Array) -> jax.Array:
    return ends[0] + (ends[1] - ends[0]) * share
