"""The accounting as JAX functions, pure, for one portfolio (`vmap` them), and the panel that lies on the device once.

The formulas are those of `lobjax.portfolio.accounting`, which says what they mean. Numbers are of the panel's type: float32, or float64
where `jax_enable_x64` is on and it was asked for. An episode reads rows of the panel by index; no window is copied.

What a row shares is inverted and multiplied with, never divided by: XLA does so itself where it sees a batch, and not where it sees one
row, which would then differ in the last bit. Products are not subtracted from one another either, which may be rounded once or twice.
"""

from typing import Any, NamedTuple

import flax.struct
import jax
import jax.numpy as jnp
import numpy as np

from lobjax.portfolio.costs import MOST_RATE, Costs
from lobjax.portfolio.tables import Tables

_ROUNDS = {"float32": 6, "float64": 12}  # of Newton: each kink that is passed takes one, and each adds digits as well


class DevicePanel(flax.struct.PyTreeNode):
    """`S` sessions of `N` assets, see `Tables`; numbers are float32 or float64."""

    features: jax.Array  # [S, 5, N]
    mask: jax.Array  # bool [S, N]
    listed: jax.Array  # bool [S, N], known at the close
    tradable: jax.Array  # bool [S, N], at the open
    returns: jax.Array  # [S, N], e^r - 1 from this open to the next
    sigma: jax.Array  # [S, N]


class CostRates(flax.struct.PyTreeNode):
    """`Costs` on the device: scalars, which may be swept without compiling again."""

    buy_base: jax.Array
    sell_base: jax.Array
    buy_factor: jax.Array
    sell_factor: jax.Array

    def at(self, sigma: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Rates of buying and selling, in the shape of `sigma`."""
        buy = jnp.minimum(self.buy_base + self.buy_factor * sigma, MOST_RATE)
        return buy, jnp.minimum(self.sell_base + self.sell_factor * sigma, MOST_RATE)


class Trade(NamedTuple):
    """What a trade leaves."""

    weights: jax.Array  # [N], of what is left
    kept: jax.Array  # mu
    turnover: jax.Array


class Earned(NamedTuple):
    """What a step leaves."""

    growth: jax.Array
    log_return: jax.Array  # -inf where wealth is gone
    drifted: jax.Array  # [N], 0 where wealth is gone


def on_device(tables: Tables, dtype: Any = np.float32) -> DevicePanel:
    """Put the tables of a panel on the device."""
    return DevicePanel(
        features=jnp.asarray(tables.features, dtype), mask=jnp.asarray(tables.mask), listed=jnp.asarray(tables.listed),
        tradable=jnp.asarray(tables.tradable), returns=jnp.asarray(tables.returns, dtype), sigma=jnp.asarray(tables.sigma, dtype),
    )  # fmt: skip


def cost_rates(costs: Costs, dtype: Any = np.float32) -> CostRates:
    """Costs as numbers on the device."""
    return CostRates(
        *(jnp.asarray(getattr(costs, name), dtype) for name in ("buy_base", "sell_base", "buy_factor", "sell_factor"))
    )


def window_of(panel: DevicePanel, t: jax.Array, length: int) -> tuple[jax.Array, jax.Array]:
    """Features [length, 5, N] and mask [length, N] of the sessions up to `t`; nothing before the panel's first one."""
    rows = t - length + 1 + jnp.arange(length, dtype=jnp.int32)
    inside = rows >= 0
    rows = jnp.maximum(rows, 0)
    return (
        jnp.where(inside[:, None, None], panel.features[rows], jnp.zeros((), panel.features.dtype)),
        panel.mask[rows] & inside[:, None],
    )


def sent(before: jax.Array, target: jax.Array, tradable: jax.Array, buy: jax.Array, sell: jax.Array) -> Trade:
    """Trade from `before` [N] towards `target` [N] where `tradable` [N], at rates [N]."""
    none = jnp.zeros((), before.dtype)
    wanted = jnp.where(tradable, target, none)
    held_ = jnp.where(tradable, before, none)
    blocked = before - held_
    total, stuck = jnp.sum(wanted), jnp.sum(blocked)
    share = 1 / (1 + jnp.maximum(jnp.sum(target) - 1, none))
    binds = total > 0
    slope = jnp.where(binds, total * share, none)
    least = jnp.where(binds, stuck * share, -jnp.ones((), before.dtype))
    x = jnp.ones((), before.dtype)
    for _ in range(_ROUNDS[str(before.dtype)]):
        traded = x * wanted - held_
        rate = jnp.where(traded > 0, buy, -sell)
        needed = jnp.maximum(x, least + slope * x)
        over = needed + jnp.sum(rate * traded) - 1
        steep = jnp.where(needed > x, slope, jnp.ones((), x.dtype)) + jnp.sum(rate * wanted)
        x = jnp.clip(x - jnp.where(steep > 0, over / jnp.where(steep > 0, steep, 1), 1), 0, 1)
    traded = x * wanted - held_
    lost = jnp.sum(jnp.where(traded > 0, buy, -sell) * traded)
    kept = 1 - lost
    part = jnp.where(x >= least + slope * x, jnp.ones((), x.dtype), x / kept)
    return Trade(part * wanted + blocked * (1 / kept), kept, jnp.sum(jnp.abs(traded)))


def sent_or_held(
    trades: jax.Array, before: jax.Array, target: jax.Array, tradable: jax.Array, buy: jax.Array, sell: jax.Array
) -> Trade:
    """`sent` where `trades`, else no trade: weights as they are, nothing paid."""
    trade = sent(before, target, tradable, buy, sell)
    one, none = jnp.ones((), before.dtype), jnp.zeros((), before.dtype)
    return Trade(
        jnp.where(trades, trade.weights, before),
        jnp.where(trades, trade.kept, one),
        jnp.where(trades, trade.turnover, none),
    )


def earned(trade: Trade, returns: jax.Array, cash_return: jax.Array | float = 0.0) -> Earned:
    """What weights earn until the next open."""
    gained = jnp.sum(trade.weights * returns) + (1 - jnp.sum(trade.weights)) * cash_return
    growth = trade.kept * (1 + gained)
    alive = growth > 0
    logs = jnp.log(jnp.where(alive, trade.kept, 1)) + jnp.log1p(jnp.where(alive, gained, 0))
    drifted = trade.weights * (1 + returns) * (1 / jnp.where(alive, 1 + gained, 1))
    return Earned(growth, jnp.where(alive, logs, -jnp.inf), jnp.where(alive, drifted, 0))


def played(
    panel: DevicePanel, first: jax.Array, targets: jax.Array, trades: jax.Array, buy: jax.Array, sell: jax.Array
) -> dict[str, jax.Array]:
    """Targets [K, N] (`trades` bool [K]: false holds) from the decision at session `first` on, from cash, at rates [K, N].

    By step: weights before and after the trade [K, N], mu, turnover, log return [K].
    """

    def one(before: jax.Array, given: tuple[jax.Array, ...]) -> tuple[jax.Array, dict[str, jax.Array]]:
        k, target, trade_now, buy_now, sell_now = given
        at = first + k + 1
        trade = sent_or_held(trade_now, before, target, panel.tradable[at], buy_now, sell_now)
        result = earned(trade, panel.returns[at])
        out = {
            "before": before, "after": trade.weights, "kept": trade.kept, "turnover": trade.turnover, "log_return": result.log_return,
        }  # fmt: skip
        return result.drifted, out

    steps = jnp.arange(targets.shape[0], dtype=jnp.int32)
    return jax.lax.scan(one, jnp.zeros(targets.shape[1:], targets.dtype), (steps, targets, trades, buy, sell))[1]
