"""The dense panel of raw prices and actions that a portfolio's environment, its backtest and its baselines take."""

import dataclasses
from collections.abc import Sequence

import numpy as np

FIELDS = ("open", "high", "low", "close", "volume")
_UNITS = ("datetime64[D]", "datetime64[m]")


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class PricePanel:
    """`T` sessions of `N` assets, as traded: nothing is adjusted, filled or repaired. ValueError unless the arrays fit each other.

    A session is one bar of the panel: a trading day, or a bar of minutes by its start in UTC. Actions take effect at its open.
    """

    sessions: np.ndarray  # datetime64[D] or datetime64[m] [T], rising
    symbols: tuple[str, ...]  # [N], each once
    open: np.ndarray  # float64 [T, N], NaN where there is no bar
    high: np.ndarray  # float64 [T, N]
    low: np.ndarray  # float64 [T, N]
    close: np.ndarray  # float64 [T, N]
    volume: np.ndarray  # float64 [T, N], shares
    split: np.ndarray  # float64 [T, N], new shares for an old one, 1 where there is none
    dividend_factor: np.ndarray  # float64 [T, N], 1 where there is none
    delisted_at: np.ndarray  # int32 [N], the first session that is no longer traded, -1: never
    delist_return: np.ndarray  # float64 [N], of the last close, at that session

    def __post_init__(self) -> None:
        if self.sessions.dtype not in [np.dtype(unit) for unit in _UNITS] or self.sessions.ndim != 1:
            raise ValueError(
                f"sessions is {self.sessions.dtype} {list(self.sessions.shape)}, not {' or '.join(_UNITS)} [T]"
            )
        if (np.diff(self.sessions).astype(np.int64) <= 0).any():
            raise ValueError("sessions do not rise")
        if len(set(self.symbols)) < len(self.symbols):
            raise ValueError("a symbol stands twice")
        rows, assets = len(self.sessions), len(self.symbols)
        for name in (*FIELDS, "split", "dividend_factor"):
            _check(name, getattr(self, name), np.float64, (rows, assets))
        _check("delisted_at", self.delisted_at, np.int32, (assets,))
        _check("delist_return", self.delist_return, np.float64, (assets,))
        if ((self.delisted_at < -1) | (self.delisted_at > rows)).any():
            raise ValueError(f"delisted_at is not -1 to {rows}")

    @property
    def has_bar(self) -> np.ndarray:
        """Whether there is a bar, bool [T, N]: a close is known."""
        return np.isfinite(self.close)

    def listed(self) -> np.ndarray:
        """Whether an asset has had a bar up to a session and is not delisted then, bool [T, N]."""
        seen = np.logical_or.accumulate(self.has_bar, axis=0)
        at = np.arange(len(self.sessions))[:, None]
        return seen & ((self.delisted_at < 0) | (at < self.delisted_at))

    def tradable(self) -> np.ndarray:
        """Whether one may trade at the open of a session, bool [T, N]: a bar with an open and volume, not delisted, and known before."""
        before = np.zeros_like(self.has_bar)
        before[1:] = np.logical_or.accumulate(self.has_bar, axis=0)[:-1]
        return self.listed() & before & self.has_bar & np.isfinite(self.open) & (self.volume > 0)

    def select(self, symbols: Sequence[str]) -> "PricePanel":
        """The same sessions of some of the assets, in the order given; KeyError where one is not in the panel."""
        places = {symbol: k for k, symbol in enumerate(self.symbols)}
        columns = np.array([places[symbol] for symbol in symbols], np.int64)
        arrays = {name: getattr(self, name)[:, columns] for name in (*FIELDS, "split", "dividend_factor")}
        return dataclasses.replace(
            self,
            symbols=tuple(symbols),
            delisted_at=self.delisted_at[columns],
            delist_return=self.delist_return[columns],
            **arrays,
        )

    def until(self, last: np.datetime64) -> "PricePanel":
        """The sessions up to `last`, included: what was known then. A delisting that comes later is not known."""
        rows = int(np.searchsorted(self.sessions, last, side="right"))
        arrays = {name: getattr(self, name)[:rows] for name in ("sessions", *FIELDS, "split", "dividend_factor")}
        known = self.delisted_at < rows
        return dataclasses.replace(
            self,
            delisted_at=np.where(known, self.delisted_at, -1).astype(np.int32),
            delist_return=np.where(known, self.delist_return, 0.0),
            **arrays,
        )


def _check(name: str, array: np.ndarray, dtype: type, shape: tuple[int, ...]) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != shape:
        raise ValueError(f"{name} is not {np.dtype(dtype)} {list(shape)}")
