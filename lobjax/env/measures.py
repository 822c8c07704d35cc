"""What is measured of an episode: names of `info`, what they mean in words, which way is better, and what is watched at every decision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp

from lobjax import clock

Watch = Callable[[Any], dict[str, jax.Array]]  # of an `EnvState`
AGENT = 1  # the account that a task acts for


@dataclass(frozen=True)
class Metric:
    """One figure of an episode."""

    name: str  # in `info`
    label: str
    unit: str
    better: Literal["lower", "higher", ""]
    meaning: str


def position(params: Any) -> Watch:
    """Of a market of messages at every decision: the agent's position, the spread, lots traded since the last one, the clock."""

    def watch(state: Any) -> dict[str, jax.Array]:
        market = state.market
        bid, ask = market.depth.price_ticks[:, 0]
        return {
            "inventory_lots": market.accounts.lots[AGENT],
            "spread_ticks": jnp.where((bid > 0) & (ask > 0), ask - bid, 0),
            "volume_lots": jnp.sum(market.tape.traded_lots, dtype=jnp.int32),
            "own_lots": market.accounts.maker_lots[AGENT] + market.accounts.taker_lots[AGENT],
            "clock_s": clock.to_seconds(market.now),
        }

    return watch


RETURN = Metric("episode_return", "return", "", "higher", "The sum of an episode's rewards.")


@dataclass(frozen=True, kw_only=True)
class Measures:
    """What players are compared by: `headline`, by default the first metric, decides.

    `watch(params)` gives what is kept of every decision, under the names that `position` uses.
    """

    metrics: tuple[Metric, ...] = (RETURN,)
    headline: str = ""
    watch: Callable[[Any], Watch] = position

    def __post_init__(self) -> None:
        names = [metric.name for metric in self.metrics]
        if not names:
            raise ValueError("metrics: none; name one at least")
        if not self.headline:
            object.__setattr__(self, "headline", names[0])
        if len(set(names)) != len(names):
            raise ValueError(f"metrics: {', '.join(names)} names one twice")
        if self.headline not in names:
            raise ValueError(f"headline '{self.headline}' is none of the metrics {', '.join(names)}")
        if not self.by_name[self.headline].better:
            raise ValueError(f"headline '{self.headline}': say which way is better, lower or higher")

    @property
    def by_name(self) -> Mapping[str, Metric]:
        """The metrics."""
        return {metric.name: metric for metric in self.metrics}


RETURNS = Measures()  # of a task that measures nothing of its own
