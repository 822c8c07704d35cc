"""Market events: spells in which the flow trades otherwise. They change rates, sizes and the fundamental value, never a price.

calm -> (kind, steps left, intensity) -> calm. A volatility spike multiplies market orders and their sizes by its intensity; a liquidity
crisis limit orders by it and cancellations by its inverse; news moves the value as it begins and multiplies informed orders; a flash
crash multiplies market orders that sell, a flash rally those that buy. An event's path depends on the decisions' keys alone: it is the
same whoever trades.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.flow.fixed import thresholds
from lobjax.ranges import Length, Range, check
from lobjax.wide import high_product

ONE = 1 << 16


class Event(IntEnum):
    """What is going on."""

    CALM = 0
    VOLATILITY_SPIKE = 1
    LIQUIDITY_CRISIS = 2
    NEWS = 3
    FLASH_CRASH = 4
    FLASH_RALLY = 5


_KINDS = len(Event) - 1
_Steps = Annotated[tuple[Annotated[int, Range(1, 1 << 20)], Annotated[int, Range(1, 1 << 20)]], Length(2, 2)]
_Intensity = Annotated[tuple[Annotated[float, Range(0.01, 15.0)], Annotated[float, Range(0.01, 15.0)]], Length(2, 2)]
_Weight = Annotated[float, Range(0.0, 1e6)]


@dataclass(frozen=True, kw_only=True)
class EventsConfig:
    """How often events begin, and of each kind its weight, how many steps it lasts and how strong it is (from, to)."""

    start_probability: Annotated[float, Range(0.0, 1.0)] = 0.05  # a decision, when calm
    volatility_spike_weight: _Weight = 0.3
    liquidity_crisis_weight: _Weight = 0.1
    news_weight: _Weight = 0.4
    flash_crash_weight: _Weight = 0.1
    flash_rally_weight: _Weight = 0.1
    volatility_spike_steps: _Steps = (5, 20)
    liquidity_crisis_steps: _Steps = (10, 30)
    news_steps: _Steps = (3, 10)
    flash_crash_steps: _Steps = (1, 3)
    flash_rally_steps: _Steps = (1, 3)
    volatility_spike_intensity: _Intensity = (2.0, 5.0)
    liquidity_crisis_intensity: _Intensity = (0.1, 0.3)
    news_intensity: _Intensity = (1.5, 3.0)
    flash_crash_intensity: _Intensity = (5.0, 10.0)
    flash_rally_intensity: _Intensity = (5.0, 10.0)

    def __post_init__(self) -> None:
        check(self)
        for name in (event.name.lower() for event in Event if event is not Event.CALM):
            for what in ("steps", "intensity"):
                low, high = getattr(self, f"{name}_{what}")
                if low > high:
                    raise ValueError(f"{name}_{what} is from {low:g} to {high:g}; put the smaller number first")
        if self.start_probability > 0 and not any(self.each("weight")):
            raise ValueError("every weight is 0, so no event could begin; raise one, or set start_probability to 0")

    def each(self, what: str) -> list:
        """A number of every kind in the order of `Event`, without CALM: what is weight, steps or intensity."""
        return [getattr(self, f"{event.name.lower()}_{what}") for event in Event if event is not Event.CALM]


class EventsParams(flax.struct.PyTreeNode):
    """The numbers on the device; may be swept, and changed by a curriculum."""

    start: jax.Array  # uint32, the probability in 2^-32
    certain: jax.Array  # bool, whether it is 1
    thresholds: jax.Array  # uint32 [4], of the kinds
    steps: jax.Array  # uint32 [5, 2], from and how many more
    intensity: jax.Array  # uint32 [5, 2], from and how much more, 2^-16


class EventState(NamedTuple):
    """What is going on; int32 scalars, the intensity uint32 in 2^-16."""

    kind: jax.Array
    left: jax.Array  # steps that it goes on for, this one included
    intensity: jax.Array
    began: jax.Array  # bool, whether with this step


class Effects(NamedTuple):
    """What an event does to a market; uint32 in 2^-16."""

    push: jax.Array  # [2], market orders that buy and that sell
    size: jax.Array
    limits: jax.Array
    cancels: jax.Array
    informed: jax.Array
    news: jax.Array  # the intensity of news that begin with this step, else 0


def events_params(config: EventsConfig) -> EventsParams:
    """Put a configuration on the device."""
    weights = np.asarray(config.each("weight"), np.float64)
    steps = np.asarray([(low, high - low + 1) for low, high in config.each("steps")])
    strong = np.round(np.asarray(config.each("intensity")) * ONE)
    return EventsParams(
        start=jnp.uint32(min(round(config.start_probability * 2**32), 2**32 - 1)),
        certain=jnp.bool_(config.start_probability == 1.0),
        thresholds=jnp.asarray(thresholds(weights if weights.any() else np.ones(_KINDS)), jnp.uint32),
        steps=jnp.asarray(steps, jnp.uint32),
        intensity=jnp.asarray(np.stack([strong[:, 0], strong[:, 1] - strong[:, 0] + 1], axis=1), jnp.uint32),
    )


def calm() -> EventState:
    """Nothing is going on."""
    return EventState(jnp.int32(Event.CALM), jnp.int32(0), jnp.uint32(ONE), jnp.bool_(False))


def next_event(key: jax.Array, state: EventState, params: EventsParams) -> EventState:
    """The event of the next decision's step."""
    words = jax.random.bits(key, (4,), jnp.uint32)
    left = jnp.maximum(state.left - 1, 0)
    is_calm = left == 0
    begins = is_calm & ((words[0] < params.start) | params.certain)
    kind = jnp.sum((params.thresholds <= words[1]).astype(jnp.int32), dtype=jnp.int32)
    steps, strong = params.steps[kind], params.intensity[kind]
    drawn = (steps[0] + high_product(words[2], steps[1])).astype(jnp.int32)
    intensity = strong[0] + high_product(words[3], strong[1])
    return EventState(
        kind=jnp.where(begins, kind + 1, jnp.where(is_calm, Event.CALM, state.kind)),
        left=jnp.where(begins, drawn, left),
        intensity=jnp.where(begins, intensity, jnp.where(is_calm, jnp.uint32(ONE), state.intensity)),
        began=begins,
    )


def effects(state: EventState) -> Effects:
    """What it does now."""
    one, strong = jnp.uint32(ONE), state.intensity

    def during(*events: Event, value: jax.Array = strong) -> jax.Array:
        on = jnp.any(jnp.stack([state.kind == event for event in events]))
        return jnp.where(on, value, one)

    inverse = jnp.uint32(2**32 - 1) // jnp.maximum(strong, 1)
    return Effects(
        push=jnp.stack([
            during(Event.VOLATILITY_SPIKE, Event.FLASH_RALLY),
            during(Event.VOLATILITY_SPIKE, Event.FLASH_CRASH),
        ]),
        size=during(Event.VOLATILITY_SPIKE),
        limits=during(Event.LIQUIDITY_CRISIS),
        cancels=during(Event.LIQUIDITY_CRISIS, value=inverse),
        informed=during(Event.NEWS),
        news=jnp.where(state.began & (state.kind == Event.NEWS), strong, jnp.uint32(0)),
    )  # fmt: skip
