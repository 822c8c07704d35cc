"""Baselines in the environment: targets of every session, worked out beforehand on the host, each from what was known then."""

from typing import Any, Protocol, cast

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.env import Environment, EnvParams, EnvState
from lobjax.portfolio.rules import BASELINES
from lobjax.strategies import Strategy
from lobjax.tasks.portfolio.market import PortfolioMarket, PortfolioState, Sent
from lobjax.tasks.registry import Field, Strategies

PLAYING = ("equal_monthly", "buy_and_hold")
_ONCE = "buy_and_hold"


class Sends(Protocol):
    """The portfolio's task, which takes any weights."""

    def send(
        self, state: Any, market: PortfolioState, weights: jax.Array, trades: jax.Array, params: Any
    ) -> tuple[Any, Sent]: ...


class Planned(flax.struct.PyTreeNode):
    """Trades to the target of a session where there is one, and at an episode's first decision; else holds."""

    targets: jax.Array  # float32 [S, N], decided at the close of each session
    decides: jax.Array  # bool [S], whether the rule decides there, in an episode that has begun

    def decide(self, env: Environment, state: EnvState, params: EnvParams) -> tuple[Any, Sent]:
        """As `Strategy.decide`."""
        t = state.market.t
        trades = self.decides[t] | (state.task.step == 0)
        return cast(Sends, env.task).send(state.task, state.market, self.targets[t], trades, params.task)


def planned(market: PortfolioMarket, name: str, first: int, last: int) -> Planned:
    """A baseline's targets at the closes of sessions `first` to `last`. Online rules begin at `first`, whenever an episode does."""
    tables, maker = market.tables, BASELINES[name]
    targets = np.zeros((len(tables.sessions), len(tables.symbols)))
    decides = np.zeros(len(tables.sessions), bool)
    before = np.zeros(len(tables.symbols))
    whole = maker(tables, first)
    for t in range(first, last + 1):
        found = whole(t, before)
        decides[t] = found is not None and name != _ONCE
        targets[t] = maker(tables, t)(t, before) if found is None else found
    return Planned(jnp.asarray(targets, jnp.float32), jnp.asarray(decides))


def _make(field: Field, names: tuple[str, ...]) -> dict[str, Strategy]:
    market, numbers = cast(PortfolioMarket, field.env.market), field.params.market
    return {name: planned(market, name, int(numbers.first), int(numbers.last)) for name in names}


STRATEGIES = Strategies(make=_make, names=PLAYING, models=tuple(name for name in BASELINES if name not in PLAYING))
