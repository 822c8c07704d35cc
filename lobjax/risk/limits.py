"""Limits that an order must keep before it leaves: size, rate, position, leverage, VaR, drawdown; each refusal counted.

A pure function on NumPy or JAX, jitted and mapped. The position is judged as if every working order on the order's side, and the order,
were filled. An order that only takes a position nearer to zero passes the last four, so that what the market has put beyond a limit can
be sold; it cannot take it through zero, since its far side must keep the limit again.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, NamedTuple

from scipy.special import ndtri

from lobjax.ranges import Range, check
from lobjax.risk.namespace import as_floats, namespace


class Refusal(IntEnum):
    """Which limit refuses an order: the first of these."""

    NONE = 0
    MALFORMED = 1  # no lots, or a number that is none
    ORDER_SIZE = 2
    RATE = 3
    POSITION = 4
    LEVERAGE = 5
    VAR = 6
    DRAWDOWN = 7
    BREAKER = 8


@dataclass(frozen=True)
class Limits:
    """What no order may break. Money in the unit of prices times lots."""

    order_size: Annotated[float, Range(0.0, 1e12)] = 1e12  # lots of one order
    rate: Annotated[int, Range(1, 65_536)] = 65_536  # orders that leave ...
    interval: Annotated[float, Range(0.0, 1e9)] = 0.0  # ... within so many seconds; 0: no limit
    position: Annotated[float, Range(0.0, 1e12)] = 1e12  # lots, long or short
    leverage: Annotated[float, Range(0.0, 1e6)] = 1e6  # |position| x price over equity
    var: Annotated[float, Range(0.0, 1e6)] = 1e6  # of the position over equity, at `var_level`, normal with mean 0
    var_level: Annotated[float, Range(0.5, 1 - 1e-12)] = 0.99
    drawdown: Annotated[float, Range(0.0, 1.0)] = 1.0  # 1 - equity / peak, from which only reductions pass

    def __post_init__(self) -> None:
        check(self)


class Situation(NamedTuple):
    """What is known as an order is about to leave. Lots and money as floats or integers, [...]."""

    time: Any  # seconds
    position: Any  # lots, signed
    open_buys: Any  # lots that working orders may still buy
    open_sells: Any
    price: Any
    equity: Any
    peak: Any  # the highest equity so far
    deviation: Any  # forecast standard deviation of the return over the horizon of the VaR


class Counts(NamedTuple):
    """Carried: when the last orders left (`rate` of them, a ring), and what was refused."""

    left: Any  # float [..., rate], seconds; -inf: none yet
    at: Any  # int32 [...], place of the oldest
    refused: Any  # int32 [..., len(Refusal)]; [0] counts those that left


def no_counts(limits: Limits, xp: Any, dtype: Any, shape: tuple[int, ...] = ()) -> Counts:
    """Nothing sent, nothing refused. Without an interval the ring has one place."""
    size = limits.rate if limits.interval > 0 else 1
    refused = xp.zeros((*shape, len(Refusal)), xp.int32)
    return Counts(xp.full((*shape, size), -xp.inf, dtype), xp.zeros(shape, xp.int32), refused)


def judge(limits: Limits, counts: Counts, now: Situation, lots: Any, halted: Any = False) -> tuple[Any, Counts]:
    """(Refusal, counts after) of an order for `lots`, signed: NONE where it may leave. One order [...] of each row.

    `halted`: whether the circuit breaker lets nothing through but what takes the position nearer to zero.
    """
    xp = namespace(*counts, *now, lots)
    time, position, buys, sells, price, equity, peak, deviation = (as_floats(xp, each) for each in now)
    lots = as_floats(xp, lots)
    extreme = position + lots + xp.where(lots > 0, buys, -sells)
    worst, before = abs(extreme), abs(position)
    reduces = (lots * position < 0) & (extreme * position >= 0) & (worst <= before)
    value = worst * price
    oldest = xp.take_along_axis(counts.left, counts.at[..., None], -1)[..., 0]
    z = float(ndtri(limits.var_level))
    known = xp.isfinite(position + buys + sells + lots + price + equity + peak + deviation + time)
    keeps = (
        (Refusal.BREAKER, reduces | ~xp.asarray(halted)),
        (Refusal.DRAWDOWN, reduces | (equity > (1 - limits.drawdown) * peak)),
        (Refusal.VAR, reduces | (value * deviation * z <= limits.var * equity)),
        (Refusal.LEVERAGE, reduces | (value <= limits.leverage * equity)),
        (Refusal.POSITION, reduces | (worst <= limits.position)),
        (Refusal.RATE, (limits.interval == 0) | (time - oldest >= limits.interval)),
        (Refusal.ORDER_SIZE, abs(lots) <= limits.order_size),
        (Refusal.MALFORMED, known & (lots != 0) & (price > 0) & (deviation >= 0) & (buys >= 0) & (sells >= 0)),
    )
    refusal = xp.zeros_like(counts.at)
    for which, kept in keeps:  # the first of the enumeration comes last, and stands
        refusal = xp.where(kept, refusal, int(which)).astype(xp.int32)
    leaves, size = refusal == Refusal.NONE, counts.left.shape[-1]
    here = (xp.arange(size) == counts.at[..., None]) & leaves[..., None]
    return refusal, Counts(
        left=xp.where(here, time[..., None], counts.left),
        at=xp.where(leaves, (counts.at + 1) % size, counts.at).astype(xp.int32),
        refused=counts.refused + (xp.arange(len(Refusal)) == refusal[..., None]).astype(xp.int32),
    )
