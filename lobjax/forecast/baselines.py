"""Baselines that every forecast is shown beside: shares of the classes, the last trend, logistic regressions on order flow imbalance.

Each is fitted on a training fold alone and gives probabilities [N, 3].
"""

from typing import Any, NamedTuple, Protocol

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from lobjax.forecast.features.samples import Samples
from lobjax.forecast.scaling import Fold, fit_fold

WINDOWS, MOVES = (1, 2, 3, 5, 10), (1, 2, 5, 10)
HISTORY = 10  # samples that the features of a sample look back
L2 = 1e-3
CLASSES = 3


class Model(Protocol):
    """A fitted baseline: probabilities [N, 3] of inputs [N, F]."""

    def __call__(self, x: np.ndarray) -> np.ndarray: ...


class Linear(NamedTuple):
    """A multinomial logistic regression on scaled inputs."""

    scaler: Fold
    weights: np.ndarray  # [F, 3]
    bias: np.ndarray  # [3]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Probabilities [N, 3] of x [N, F]."""
        logits = self.scaler(x) @ self.weights + self.bias
        return np.exp(logits - logsumexp(logits, axis=1, keepdims=True))


def fit_logistic(x: np.ndarray, y: np.ndarray, l2: float = L2) -> Linear:
    """Mean NLL and half of `l2` times the squared weights, biases free, to the optimum (it is convex).

    Inputs are z-scored by this fold and clipped at 10.
    """
    scaler = fit_fold(x)
    z, shape = scaler(x), (x.shape[1], CLASSES)
    hot, n = np.eye(CLASSES)[y], len(y)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        weights, bias = flat[:-CLASSES].reshape(shape), flat[-CLASSES:]
        logits = z @ weights + bias
        total = np.asarray(logsumexp(logits, axis=1, keepdims=True))
        off = (np.exp(logits - total) - hot) / n
        value = float((total[:, 0] - (logits * hot).sum(1)).mean() + 0.5 * l2 * (weights**2).sum())
        return value, np.concatenate([(z.T @ off + l2 * weights).ravel(), off.sum(0)])

    start = np.zeros(z.shape[1] * CLASSES + CLASSES)
    options = {"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-9}
    result: Any = minimize(loss, start, jac=True, method="L-BFGS-B", options=options)
    found = np.asarray(result.x)
    return Linear(scaler, found[:-CLASSES].reshape(shape), found[-CLASSES:])


class Majority(NamedTuple):
    """The shares of the classes in the training fold."""

    shares: np.ndarray  # [3]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The same probabilities for every row."""
        return np.tile(self.shares, (len(x), 1))


def fit_majority(y: np.ndarray) -> Majority:
    """Of classes y [N]."""
    return Majority(np.bincount(y, minlength=CLASSES) / len(y))


def fit_boosted_trees(x: np.ndarray, y: np.ndarray, seed: int = 0) -> Model:
    """Scikit-learn's histogram gradient boosting (extra `forecast`), stopped early on the end of the training fold.

    A class that the fold lacks has probability 0. ImportError where scikit-learn is not installed.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-not-found]

    cut = int(0.85 * len(x))
    known = cut + np.flatnonzero(np.isin(y[cut:], y[:cut]))
    if len(np.unique(y[:cut])) < 2 or not len(known):
        return fit_majority(y)  # nothing to tell apart
    options: dict[str, Any] = {
        "learning_rate": 0.05, "max_iter": 300, "max_leaf_nodes": 15, "min_samples_leaf": 50, "l2_regularization": 1.0,
        "early_stopping": True, "n_iter_no_change": 15, "random_state": seed,
    }  # fmt: skip
    model: Any = HistGradientBoostingClassifier(**options)
    model.fit(x[:cut], y[:cut], X_val=x[known], y_val=y[known])

    def probabilities(x: np.ndarray) -> np.ndarray:
        p = np.zeros((len(x), CLASSES))
        p[:, np.asarray(model.classes_)] = model.predict_proba(x)
        return p

    return probabilities


def last_trend(y: np.ndarray, reach: int) -> np.ndarray:
    """The class of the newest label that is known at each sample, that of t - reach; stationary where there is none. [N]."""
    known = np.concatenate([np.full(min(reach, len(y)), 1), y[: max(0, len(y) - reach)]])
    return np.where(known < 0, 1, known)


def ofi_inputs(samples: Samples) -> np.ndarray:
    """[S, 8]: level-1 OFI over 1, 2, 3, 5, 10 samples over their mean depth, queue imbalance, microprice offset, relative spread."""
    flow = [_over(samples, 0, window) for window in WINDOWS]
    bid, bids, ask, asks = (samples.book[:, side, 0, k].astype(float) for side in (0, 1) for k in (0, 1))
    lots, spread = np.maximum(bids + asks, 1), ask - bid
    micro = (ask * bids + bid * asks) / lots
    offset = np.where(spread > 0, (micro - samples.mid) / np.where(spread > 0, spread, 1), 0.0)
    found = np.stack([*flow, (bids - asks) / lots, offset, spread / samples.mid], 1)
    found[(bid == 0) | (ask == 0), -3:] = 0  # a side is empty
    return found


def full_inputs(samples: Samples) -> np.ndarray:
    """`ofi_inputs`, then OFI of the sample and queue imbalance of every further level, log changes of the mid over 1, 2, 5, 10."""
    deeper = range(1, samples.book.shape[2])
    flow = [_over(samples, level, 1) for level in deeper]
    lots = samples.book[..., 1].astype(float)
    balance = [(lots[:, 0, k] - lots[:, 1, k]) / np.maximum(lots[:, 0, k] + lots[:, 1, k], 1) for k in deeper]
    moves = []
    for back in MOVES:
        change = np.zeros(len(samples.mid))
        change[back:] = np.log(samples.mid[back:] / samples.mid[:-back])
        moves.append(change)
    return np.concatenate([ofi_inputs(samples), np.stack([*flow, *balance, *moves], 1)], 1)


def _over(samples: Samples, level: int, window: int) -> np.ndarray:
    """OFI of a level over its mean depth, both over the last `window` samples (fewer at the start)."""
    flow, depth = _last(samples.ofi[:, level], window), _last(samples.depth[:, level], window)
    many = np.minimum(np.arange(1, len(flow) + 1), window)
    return np.where(depth > 0, flow / np.where(depth > 0, depth, 1) * many, 0.0)


def _last(x: np.ndarray, window: int) -> np.ndarray:
    """The sum of the last `window` values, each sum anew so that none hangs on what came long before."""
    padded = np.concatenate([np.zeros(window - 1), x])
    return sum((padded[k : k + len(x)] for k in range(window)), np.zeros(len(x)))
