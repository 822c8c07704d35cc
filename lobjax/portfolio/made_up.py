"""A panel that nobody traded: correlated random walks by seed, for trying things out and for measuring speed."""

import numpy as np

from lobjax.data.prices.panel import PricePanel

_DAILY, _COMMON = 0.015, 0.5  # deviation of a day's log change, and how much of its variance all assets share


def made_up(sessions: int, assets: int, seed: int = 0) -> PricePanel:
    """Business days from 2000 on, every asset with a bar on each; no splits, dividends or delistings."""
    rng = np.random.default_rng(seed)
    shape = (sessions, assets)
    common = rng.normal(0, 1, (sessions, 1)) * np.sqrt(_COMMON)
    nightly, daily = (_DAILY / np.sqrt(2) * (common + np.sqrt(1 - _COMMON) * rng.normal(0, 1, shape)) for _ in range(2))
    close = 100 * np.exp(np.cumsum(nightly + daily, 0))
    opens = close / np.exp(daily)
    beyond = np.exp(np.abs(rng.normal(0, _DAILY / 4, (2, *shape))))
    return PricePanel(
        sessions=np.busday_offset(np.datetime64("2000-01-03"), np.arange(sessions)),
        symbols=tuple(f"A{k}" for k in range(assets)),
        open=opens, close=close, high=np.maximum(opens, close) * beyond[0], low=np.minimum(opens, close) / beyond[1],
        volume=np.round(1e6 * np.exp(rng.normal(0, 0.3, shape))), split=np.ones(shape), dividend_factor=np.ones(shape),
        delisted_at=np.full(assets, -1, np.int32), delist_return=np.zeros(assets),
    )  # fmt: skip
