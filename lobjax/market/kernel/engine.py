"""The engine `kernel` as those know it who choose one."""

from functools import cache

from lobjax.engine.kernel.call import interpreted
from lobjax.engine.kernel.trial import tried
from lobjax.flow.base import Flow
from lobjax.market.interface import MarketEngine, takes_words
from lobjax.market.kernel.call import market_step, opened
from lobjax.market.kernel.trial import market_kernel_equals_reference


@cache
def _suits() -> str | None:
    if interpreted() or not tried("engine kernel for markets", market_kernel_equals_reference):
        return None
    return "one fused kernel, which played a record as the reference does when it was tried on this GPU"


def _refusal(flow: Flow) -> str | None:
    if not getattr(flow, "in_kernel", False):
        return (
            f"the flow {type(flow).__name__} does not say that it can be compiled into a GPU kernel (`in_kernel`, see "
            "lobjax.flow.base); use the engine xla"
        )
    return None


ENGINE = MarketEngine(market_step=market_step, opened=opened, refusal=_refusal, suits=_suits, takes_key=takes_words)
