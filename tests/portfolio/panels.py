"""Made-up panels: the contract's four days by hand, and random ones with holes, halts, actions, listings and delistings."""

import json

import numpy as np

from lobjax.data.prices.panel import PricePanel

OPEN = [[99, 51], [100, 50], [110, 50], [104.5, 55], [102.41, 52.25]]
CLOSE = [[100, 50], [108, 50.5], [106, 54], [103, 54], [102, 52]]
VOLUME = [[1000, 500], [1200, 450], [900, 700], [1100, 650], [1000, 600]]
TARGETS = [[0.5, 0.3], [0.5, 0.3], [0.2, 0.7]]


def hand_case(**changes) -> dict:
    """The contract's section 6 as a case of JSON: 10 bp, decisions at the closes of d0, d1, d2."""
    high, low = np.maximum(OPEN, CLOSE).tolist(), np.minimum(OPEN, CLOSE).tolist()
    case = {
        "raw": {"open": OPEN, "high": high, "low": low, "close": CLOSE, "volume": VOLUME},
        "targets": TARGETS,
        "kappa": [[0.001, 0.001]] * 3,
    }
    return json.loads(json.dumps({**case, **changes}))


def random_panel(rng: np.random.Generator, sessions: int, assets: int) -> PricePanel:
    """Columns that do not know each other: holes, zero volume, splits, dividends, late listings, delistings with a loss."""
    shape = (sessions, assets)
    close = 50 * np.exp(np.cumsum(rng.normal(0, 0.04, shape), 0))
    opens = close * np.exp(rng.normal(0, 0.02, shape))
    split = np.where(rng.random(shape) < 0.05, rng.choice([2.0, 7.0, 0.125], shape), 1.0)
    close, opens = close / np.cumprod(split, 0), opens / np.cumprod(split, 0)
    dividend = np.where(rng.random(shape) < 0.08, rng.uniform(0.9, 1, shape), 1.0)
    volume = np.where(rng.random(shape) < 0.1, 0.0, rng.integers(1, 10_000, shape)).astype(np.float64)
    late = np.where(rng.random(assets) < 0.2, rng.integers(1, sessions, assets), 0)
    delisted = np.where(rng.random(assets) < 0.25, rng.integers(2, sessions, assets), -1).astype(np.int32)
    at = np.arange(sessions)[:, None]
    none = (rng.random(shape) < 0.08) | (at < late) | ((delisted >= 0) & (at >= delisted))
    fields = {
        "open": opens,
        "high": np.maximum(opens, close),
        "low": np.minimum(opens, close),
        "close": close,
        "volume": volume,
    }
    return PricePanel(
        sessions=np.datetime64("2020-01-01") + np.arange(sessions),
        symbols=tuple(f"S{k}" for k in range(assets)),
        **{name: np.where(none, np.nan, values) for name, values in fields.items()},
        split=split, dividend_factor=dividend, delisted_at=delisted, delist_return=rng.choice([0.0, -0.3, -1.0, -0.999], assets),
    )  # fmt: skip


def random_targets(rng: np.random.Generator, steps: int, many: int, assets: int) -> np.ndarray:
    """Weights of a / sum |a| with cash first [steps, many, assets]: half of the portfolios long only, half with shorts."""
    action = rng.normal(0, 1, (steps, many, assets + 1))
    action[:, ::2] = np.abs(action[:, ::2])
    return action[..., 1:] / np.abs(action).sum(-1, keepdims=True)
