"""Small cases of a portfolio as JSON tells them: checked, and made arrays of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lobjax.data.prices.panel import FIELDS, PricePanel
from lobjax.errors import InputError, nearest
from lobjax.portfolio.costs import MOST_RATE
from lobjax.reading import read_json

_NEEDED = ("raw", "targets")
_KNOWN = (*_NEEDED, "split", "dividend_factor", "delisted_at", "delist_return", "kappa", "sessions", "symbols")
_MOST_WEIGHT = 1e3


@dataclass(frozen=True, eq=False)
class Case:
    """One case: `S` sessions of `N` assets and `K` = S - 2 decisions."""

    panel: PricePanel
    targets: np.ndarray  # float64 [K, N], 0 where held
    trades: np.ndarray  # bool [K], false: hold
    rates: np.ndarray  # float64 [K, N]


def read_cases(path: Path) -> dict[str, Case]:
    """The cases of a file by name; InputError names file, case and field."""
    found = read_json(path, advice="give a file of JSON, {name: case}")
    if not found:
        raise InputError(f"{path}: holds no case; give {{name: case}}")
    return {name: _case(f"{path}: {name}", case) for name, case in found.items()}


def _case(where: str, case: Any) -> Case:
    if not isinstance(case, dict):
        raise InputError(f"{where}: a case is an object of {', '.join(_KNOWN)}; found {type(case).__name__}")
    for name in _NEEDED:
        if name not in case:
            raise InputError(f"{where}: has no '{name}'; {nearest(name, case) if case else 'it is empty'}")
    raw = case["raw"]
    if not isinstance(raw, dict) or any(field not in raw for field in FIELDS):
        raise InputError(f"{where}: raw must hold {', '.join(FIELDS)}, each [session][asset]")
    close = _table(f"{where}: raw.close", raw["close"], None, allow_null=True)
    shape = close.shape
    if shape[0] < 3:
        raise InputError(f"{where}: {shape[0]} sessions make no step; give three or more")
    fields = {field: _table(f"{where}: raw.{field}", raw[field], shape, allow_null=True) for field in FIELDS}
    for field, values in fields.items():
        worst = values[np.isfinite(values)]
        if (worst < 0).any() or (field != "volume" and (worst == 0).any()):
            raise InputError(f"{where}: raw.{field} has {worst.min():g}; prices are above 0, volumes not below it")
    symbols = case.get("symbols") or [f"asset {k + 1}" for k in range(shape[1])]
    sessions = case.get("sessions") or list(range(shape[0]))
    if not isinstance(sessions, list) or len(sessions) != shape[0]:
        raise InputError(f"{where}: sessions must be a list of {shape[0]} names")
    if not isinstance(symbols, list) or len({str(symbol) for symbol in symbols}) != shape[1]:
        raise InputError(f"{where}: symbols must be a list of {shape[1]} different names")
    factors = {name: _factor(where, name, case.get(name), shape) for name in ("split", "dividend_factor")}
    panel = PricePanel(
        sessions=np.arange(shape[0]).astype("datetime64[D]"),
        symbols=tuple(map(str, symbols)),
        delisted_at=_delisted(where, case.get("delisted_at"), sessions, shape[1]),
        delist_return=_delist_return(where, case.get("delist_return"), shape[1]),
        **fields,
        **factors,
    )
    targets, trades = _targets(where, case["targets"], shape)
    rates = _rates(where, case.get("kappa"), panel)
    if ((rates < 0) | (rates > MOST_RATE)).any():
        raise InputError(
            f"{where}: kappa has {rates[(rates < 0) | (rates > MOST_RATE)][0]:g}; choose 0 to {MOST_RATE:g}"
        )
    return Case(panel, targets, trades, rates)


def _table(where: str, rows: Any, shape: tuple[int, int] | None, *, allow_null: bool = False) -> np.ndarray:
    """Numbers [session][asset], null as NaN where that is allowed."""
    wanted = f"{shape[0]} lists of {shape[1]} numbers" if shape else "lists of numbers, one a session"
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        raise InputError(f"{where}: expected {wanted}")
    width = shape[1] if shape else len(rows[0])
    if (shape and len(rows) != shape[0]) or width == 0 or any(len(row) != width for row in rows):
        raise InputError(f"{where}: expected {wanted}; found {len(rows)} of {sorted({len(row) for row in rows})}")
    for t, row in enumerate(rows):
        for k, value in enumerate(row):
            if value is None and allow_null:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= 1e15:
                null = ", or null where there is no bar" if allow_null else ""
                raise InputError(f"{where}[{t}][{k}]: {str(value)[:40]} is no number up to 1e15{null}")
    return np.array([[np.nan if value is None else value for value in row] for row in rows], np.float64)


def _rates(where: str, given: Any, panel: PricePanel) -> np.ndarray:
    """Null is for what cannot be traded at that step."""
    steps, assets = len(panel.sessions) - 2, len(panel.symbols)
    if given is None:
        return np.zeros((steps, assets))
    found = _table(f"{where}: kappa", given, (steps, assets), allow_null=True)
    missing = np.argwhere(np.isnan(found) & panel.tradable()[1:-1])
    if len(missing):
        t, k = missing[0]
        raise InputError(f"{where}: kappa[{t}][{k}] is null, and the asset can be traded then; give a rate")
    return np.nan_to_num(found)


def _factor(where: str, name: str, rows: Any, shape: tuple[int, int]) -> np.ndarray:
    if rows is None:
        return np.ones(shape)
    found = _table(f"{where}: {name}", rows, shape)
    if (found <= 0).any():
        raise InputError(f"{where}: {name} has {found.min():g}; it is above 0, and 1 where nothing happens")
    return found


def _delisted(where: str, given: Any, sessions: list[Any], assets: int) -> np.ndarray:
    """Each null, a session's number from 0, or its name."""
    each = given if isinstance(given, list) else [given] * assets
    if len(each) != assets:
        raise InputError(f"{where}: delisted_at has {len(each)} values for {assets} assets")
    found = []
    for value in each:
        if value is None:
            found.append(-1)
        elif isinstance(value, str) and value in sessions:
            found.append(sessions.index(value))
        elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= len(sessions):
            found.append(value)
        else:
            raise InputError(
                f"{where}: delisted_at {str(value)[:40]} is no session; give null, 0 to {len(sessions)}, or a name"
            )
    return np.array(found, np.int32)


def _delist_return(where: str, given: Any, assets: int) -> np.ndarray:
    each = given if isinstance(given, list) else [given] * assets
    each = [0.0 if value is None else value for value in each]
    good = all(isinstance(value, (int, float)) and not isinstance(value, bool) and -1 <= value <= 100 for value in each)
    if len(each) != assets or not good:
        raise InputError(f"{where}: delist_return must be a number from -1 on, or {assets} of them")
    return np.array(each, np.float64)


def _targets(where: str, given: Any, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    steps, assets = shape[0] - 2, shape[1]
    if not isinstance(given, list) or len(given) != steps:
        found = len(given) if isinstance(given, list) else type(given).__name__
        raise InputError(f"{where}: targets must be {steps} lists of {assets} weights, null to hold; found {found}")
    trades = np.array([row is not None for row in given])
    targets = _table(f"{where}: targets", [[0.0] * assets if row is None else row for row in given], (steps, assets))
    if (np.abs(targets) > _MOST_WEIGHT).any():
        raise InputError(
            f"{where}: targets has {np.abs(targets).max():g}; weights are shares of wealth, up to {_MOST_WEIGHT:g}"
        )
    return targets, trades
