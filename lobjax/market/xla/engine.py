"""The engine `xla` as those know it who choose one."""

from lobjax.market.interface import MarketEngine, as_opened, takes_words
from lobjax.market.xla.loop import market_step

ENGINE = MarketEngine(
    market_step=market_step,
    opened=as_opened,
    refusal=lambda flow: None,
    suits=lambda: "it runs anywhere",
    takes_key=takes_words,
)
