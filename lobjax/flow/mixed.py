"""One of several simulated markets, drawn anew for each episode: what an agent for all of them is trained in.

The markets differ in numbers only, so that they are one compiled program: where one has traders of a kind, the others have them too,
without effect on the law of their market (idle turns use up random words, so it is not to the bit what it is alone).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp

from lobjax.book import BySide
from lobjax.clock import Time
from lobjax.flow.base import Flow, Opening
from lobjax.flow.poisson import PoissonConfig, PoissonFlow, told
from lobjax.flow.registry import FlowSpec, Made, Needs, register
from lobjax.flow.strategic import StrategicConfig, StrategicFlow, strategic_params
from lobjax.flow.tactical import TacticalConfig
from lobjax.ranges import Length, check
from lobjax.types import Message
from lobjax.wide import high_product

_NO_TACTICS = TacticalConfig(scale=1.0, factor=0.0)
_NO_STRATEGY = StrategicConfig(every_s=1e6, market_lots=0, limit_lots=0)
_SHARED = ("best_bid_ticks", "spread_ticks", "opening_lots", "warm_up_s", "size_max")


@dataclass(frozen=True, kw_only=True)
class MixedConfig:
    """Markets of equal chances, which open alike."""

    kind: Literal["mixed"] = "mixed"
    flows: Annotated[tuple[PoissonConfig, ...], Length(1, 64)]

    def __post_init__(self) -> None:
        check(self)
        for name in _SHARED:
            if len({getattr(flow, name) for flow in self.flows}) > 1:
                raise ValueError(f"flows must have the same {name}")
        if len({len(flow.limit_per_s) for flow in self.flows}) > 1:
            raise ValueError("flows must have rates at the same number of distances")
        if len({flow.tactical.levels for flow in self.flows if flow.tactical}) > 1:
            raise ValueError("flows must have the same tactical.levels")


class MixedParams(flax.struct.PyTreeNode):
    """The numbers of K markets: those of `StrategicFlow`, leaves `[K, ...]`."""

    each: Any


class MixedState(NamedTuple):
    """The flow's own state."""

    one: Any  # of the market that was drawn
    which: jax.Array  # int32


@dataclass(frozen=True)
class MixedFlow:
    """A `Flow`; see the module's text."""

    flow: Flow = field(default_factory=lambda: StrategicFlow(PoissonFlow()))

    @property
    def words(self) -> int:
        """Those of one market."""
        return self.flow.words

    def open(self, key: jax.Array, params: MixedParams, start: jax.Array | None = None) -> Opening:
        """Draw a market, and its opening."""
        count = jax.tree.leaves(params.each)[0].shape[0]
        which = high_product(jax.random.bits(jax.random.fold_in(key, 2), dtype=jnp.uint32), jnp.uint32(count)).astype(
            jnp.int32
        )
        opening = self.flow.open(key, numbers_of(params, which), start)
        return opening._replace(flow=MixedState(opening.flow, which))

    def next(
        self, state: MixedState, book: BySide, words: jax.Array, params: MixedParams
    ) -> tuple[MixedState, Message, Time]:
        """The next message of the market that was drawn."""
        one, message, wait = self.flow.next(state.one, book, words, numbers_of(params, state.which))
        return state._replace(one=one), message, wait


def numbers_of(params: MixedParams, which: jax.Array) -> Any:
    """The numbers of one market."""
    return jax.tree.map(lambda numbers: numbers[which], params.each)


def mixed_params(flows: Sequence[PoissonConfig], capacity: int) -> MixedParams:
    """Put configurations on the device. Raises ValueError if the opening book does not fit the capacity."""
    levels = next((flow.tactical.levels for flow in flows if flow.tactical), _NO_TACTICS.levels)
    none = replace(_NO_TACTICS, levels=levels)
    each = [
        strategic_params(
            flow.strategic or _NO_STRATEGY,
            PoissonFlow().params(replace(flow, tactical=flow.tactical or none), capacity),
        )
        for flow in flows
    ]
    return MixedParams(jax.tree.map(lambda *numbers: jnp.stack(numbers), *each))


def make_mixed(config: MixedConfig, needs: Needs) -> Made:
    """One of the markets for each episode; as `mixed_params`."""
    return Made(MixedFlow(), mixed_params(config.flows, needs.capacity), config.flows[0].warm_up_s)


register(FlowSpec(config=MixedConfig, make=make_mixed, told=told))
