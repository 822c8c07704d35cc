"""What an episode reads of a panel of prices, session by session, float64: features, marks, what may be traded, recent volatility.

Prices are adjusted forward, by what has happened up to a session: an action that comes later changes no bit of what was before it.
"""

from dataclasses import dataclass

import numpy as np

from lobjax.data.prices.panel import PricePanel

FEATURES = ("open", "high", "low", "close", "volume")  # log changes, in this order
SIGMA_CHANGES = 20  # of the adjusted close, that a volatility is measured on
UNKNOWN_SIGMA = 0.02  # where fewer than two are known
_LEAST_SHARES = 1.0  # volume is floored at, as traded: a later split may not move the floor


@dataclass(frozen=True, eq=False)
class Tables:
    """`S` sessions of `N` assets. Row `t` of `features`, `bar`, `listed`, `close`, `sigma` is known at the close of `t`."""

    sessions: np.ndarray  # datetime64 [S]
    symbols: tuple[str, ...]
    features: np.ndarray  # float64 [S, 5, N], log changes since the asset's previous bar; 0 where `bar_before` is false
    mask: np.ndarray  # bool [S, N], a bar now and one before: the features say something
    bar: np.ndarray  # bool [S, N], there is a bar
    listed: np.ndarray  # bool [S, N], has had a bar and is not delisted
    tradable: np.ndarray  # bool [S, N], at the open of this session
    returns: (
        np.ndarray
    )  # float64 [S, N], e^r - 1 from the mark at this open to the next one's; 0 in the last row and where unknown
    close: (
        np.ndarray
    )  # float64 [S, N], last adjusted close up to this session, in units of its own past; NaN before the first
    sigma: np.ndarray  # float64 [S, N], of the last log changes of the adjusted close

    @property
    def steps(self) -> int:
        """Steps of the whole panel: a decision needs the two next opens."""
        return max(0, len(self.sessions) - 2)


def tables(panel: PricePanel, *, total_return: bool = True) -> Tables:
    """The tables of a panel; with `total_return` False dividends are not reinvested but lost, as in price indices."""
    listed = panel.listed()
    bar = panel.has_bar & listed
    factor = panel.split / panel.dividend_factor if total_return else panel.split
    growth = np.cumprod(factor, axis=0)  # units held at a session for one bought at the beginning
    fields = {name: np.where(bar, getattr(panel, name) * growth, np.nan) for name in FEATURES[:4]}
    floored = np.where(np.isfinite(panel.volume), np.maximum(panel.volume, _LEAST_SHARES), _LEAST_SHARES)
    fields["volume"] = np.where(bar, floored / np.cumprod(panel.split, axis=0), np.nan)
    before = _previous(bar)
    features = np.stack([_log_change(fields[name], before) for name in FEATURES], axis=1)
    mask = bar & (before >= 0)
    close = filled(fields["close"])
    return Tables(
        sessions=panel.sessions, symbols=panel.symbols, features=features, mask=mask, bar=bar, listed=listed,
        tradable=panel.tradable(), returns=_returns(panel, fields["open"], close), close=close,
        sigma=_sigma(features[:, FEATURES.index("close")], mask),
    )  # fmt: skip


def marks(panel: PricePanel, opens: np.ndarray, close: np.ndarray) -> np.ndarray:
    """Adjusted value of an asset at each open, float64 [S, N]: the open, else the last close; from its delisting on, what is paid."""
    last = np.vstack([np.full((1, close.shape[1]), np.nan), close[:-1]])
    mark = np.where(np.isfinite(opens), opens, last)
    at = np.arange(len(close))[:, None]
    gone = (panel.delisted_at >= 0) & (at >= panel.delisted_at)
    return np.where(gone, last * (1 + panel.delist_return), mark)


def filled(values: np.ndarray) -> np.ndarray:
    """The last finite value up to each row, per column; NaN before the first."""
    at = np.where(np.isfinite(values), np.arange(len(values))[:, None], -1)
    at = np.maximum.accumulate(at, axis=0)
    return np.where(at >= 0, np.take_along_axis(values, np.maximum(at, 0), axis=0), np.nan)


def _returns(panel: PricePanel, opens: np.ndarray, close: np.ndarray) -> np.ndarray:
    mark = marks(panel, opens, close)
    now, after = mark[:-1], mark[1:]
    held = np.isfinite(now) & np.isfinite(after) & (now > 0)
    found = np.zeros_like(mark)
    found[:-1] = np.where(held, (after - now) / np.where(held, now, 1), 0)
    return found


def _previous(bar: np.ndarray) -> np.ndarray:
    """The row of an asset's bar before each row, int [S, N]; -1 where there is none."""
    at = np.maximum.accumulate(np.where(bar, np.arange(len(bar))[:, None], -1), axis=0)
    return np.vstack([np.full((1, bar.shape[1]), -1), at[:-1]])


def _log_change(values: np.ndarray, before: np.ndarray) -> np.ndarray:
    """log(value / value of the previous bar), 0 where one of them is unknown."""
    past = np.where(before >= 0, np.take_along_axis(values, np.maximum(before, 0), axis=0), np.nan)
    known = np.isfinite(values) & np.isfinite(past) & (values > 0) & (past > 0)
    return np.log(np.where(known, values, 1) / np.where(known, past, 1))


def _sigma(changes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Standard deviation (ddof 1) of each asset's last log changes up to each session, however many sessions they are apart."""
    sessions, assets = changes.shape
    ring, count = np.zeros((SIGMA_CHANGES, assets)), np.zeros(assets, np.int64)
    places = np.arange(SIGMA_CHANGES)[:, None]
    found = np.empty((sessions, assets))
    for t in range(sessions):
        new = np.flatnonzero(known[t])
        ring[count[new] % SIGMA_CHANGES, new] = changes[t, new]
        count[new] += 1
        many = np.minimum(count, SIGMA_CHANGES)
        mean = ring.sum(0) / np.maximum(many, 1)  # places that are not filled hold 0
        squares = np.where(places < many, (ring - mean) ** 2, 0).sum(0)
        found[t] = np.where(many >= 2, np.sqrt(squares / np.maximum(many - 1, 1)), UNKNOWN_SIGMA)
    return found
