"""Small cases asked for in JSON, each answered by the function that the library itself uses."""

import math
from collections.abc import Callable
from typing import Any, Literal, NotRequired, TypedDict

import numpy as np

from lobjax import risk
from lobjax.config import build
from lobjax.errors import InputError, nearest
from lobjax.forecast import drift, labels, scaling, scores
from lobjax.risk.backtest import coverage_report
from lobjax.risk.replay import replay
from lobjax.schema import as_shape

_ADVICE = "see docs/forecast.md"


class Cases(TypedDict):
    requests: list[dict[str, Any]]


class Label(TypedDict):
    rule: Literal["deeplob", "fi2010", "tlob"]
    mid: list[float]
    k: int
    h: NotRequired[int]


class Scale(TypedDict):
    rule: Literal["expanding", "rolling"]
    x: list[list[float]]
    warm: NotRequired[int]
    window: NotRequired[int]


class Scores(TypedDict):
    p: list[list[float]]
    y: list[int]
    bins: NotRequired[int]


class Returns(TypedDict):
    returns: list[float]
    level: float


class Exceptions(TypedDict):
    hits: list[Literal[0, 1, False, True]]
    p: float


class TickCase(TypedDict):
    time: float
    equity: float
    session: int | str
    data_age: float
    errors: float


class BreakerCase(TypedDict):
    config: dict[str, Any]
    ticks: list[TickCase]


class Drift(TypedDict):
    reference: list[float]
    current: list[float]
    bins: NotRequired[int]


def _label(asked: Label) -> dict[str, Any]:
    found = labels.labels(asked["rule"], np.array(asked["mid"], np.float64), asked["k"], asked.get("h"))
    return {"value": found}


def _scale(asked: Scale) -> dict[str, Any]:
    needed = {"expanding": "warm", "rolling": "window"}[asked["rule"]]
    if (length := asked.get(needed)) is None:
        raise ValueError(f"has no key '{needed}', which {asked['rule']} takes")
    given = asked["x"]
    if len({len(row) for row in given}) > 1:
        raise ValueError("rows of x of several lengths; each has all features")
    x = np.array(given, np.float64).reshape(len(given), -1 if given and given[0] else 0)
    scaler = scaling.Expanding(length) if needed == "warm" else scaling.Rolling(length)
    return {"value": scaler(x)}


def _scores(asked: Scores) -> dict[str, Any]:
    if len({len(row) for row in asked["p"]}) > 1:
        raise ValueError("rows of p of several lengths; each has all classes")
    p, y = np.array(asked["p"], np.float64), np.array(asked["y"], np.int64)
    return scores.scores(p, y, _bins(asked.get("bins", 15)))


def _risk(asked: Returns) -> dict[str, Any]:
    returns, level = np.array(asked["returns"], np.float64), asked["level"]
    models = {"historical": risk.historical(returns, level), "normal": risk.normal(returns, level)}
    found = {f"{part}_{name}": getattr(model, part) for name, model in models.items() for part in ("var", "cvar")}
    return {**found, "ewma_deviation": risk.ewma_deviation(returns)}


def _exceptions(asked: Exceptions) -> dict[str, Any]:
    if not 0 < asked["p"] < 1:
        raise ValueError(f"p is {asked['p']}; a chance lies between 0 and 1")
    return coverage_report(np.array(asked["hits"], np.float64), asked["p"])


def _breaker(asked: BreakerCase) -> dict[str, Any]:
    config = build(risk.BreakerConfig, asked["config"], "config")
    seen = replay(config, [risk.Tick(*(tick[name] for name in risk.Tick._fields)) for tick in asked["ticks"]])
    return {"states": [tick.state.name for tick in seen], "reasons": [tick.reason.word for tick in seen]}


def _drift(asked: Drift) -> dict[str, Any]:
    reference, current = (np.array(asked[name], np.float64) for name in ("reference", "current"))
    return {"psi": drift.psi(reference, current, _bins(asked.get("bins", 10))), "ks": drift.ks(reference, current)}


_WHATS: dict[str, tuple[Any, Callable[[Any], dict[str, Any]]]] = {
    "label": (Label, _label),
    "scale": (Scale, _scale),
    "scores": (Scores, _scores),
    "risk": (Returns, _risk),
    "exceptions": (Exceptions, _exceptions),
    "breaker": (BreakerCase, _breaker),
    "drift": (Drift, _drift),
}


def answers(requests: list[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    """One result a request; InputError names the request, from 0, and what is wrong with it."""
    results = []
    for at, asked in enumerate(requests):
        where, what = f"{path}: request {at}", asked.get("what")
        if not isinstance(what, str) or what not in _WHATS:
            raise InputError(f"{where}: unknown what '{what}'; {nearest(str(what), _WHATS)}")
        shape, answer = _WHATS[what]
        given = as_shape(shape, asked, where, _ADVICE)
        try:
            results.append({name: _plain(value) for name, value in answer(given).items()})
        except (ValueError, InputError) as error:
            raise InputError(f"{where} ({what}): {error}") from None
    return results


def _bins(bins: int) -> int:
    if not 1 <= bins <= 1_000_000:
        raise ValueError(f"bins is {bins}; take 1 to 1,000,000")
    return bins


def _plain(value: Any) -> Any:
    """Of JSON: None for what is undefined or infinite."""
    if (isinstance(value, np.ndarray) and value.ndim) or isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, (str, int)) or value is None:
        return value
    return float(value) if math.isfinite(value) else None
