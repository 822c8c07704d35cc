"""The engine `host` as those know it who choose one."""

import jax
import jax.numpy as jnp

from lobjax.ffi import handlers
from lobjax.flow.base import Flow
from lobjax.flow.host.draw import twin_of
from lobjax.market.host.call import market_step
from lobjax.market.host.threefry import follows
from lobjax.market.interface import MarketEngine, as_opened


def _refusal(flow: Flow) -> str | None:
    if twin_of(flow) is None:
        return f"the flow {type(flow).__name__} has no twin in lobjax.flow.host; use the engine xla"
    return handlers.refusal()


def _takes_key(key: jax.Array) -> bool:
    """Threefry's: it makes the same words of it, faster than XLA does and no more than a step needs."""
    return jnp.issubdtype(key.dtype, jax.dtypes.prng_key) and follows(key)


ENGINE = MarketEngine(
    market_step=market_step,
    opened=as_opened,
    refusal=_refusal,
    suits=lambda: "the fastest on the CPU",
    takes_key=_takes_key,
)
