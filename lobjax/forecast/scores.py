"""Scores of class probabilities p [N, C] against true classes y [N]: what is right, how sure, and whether as often as it is sure."""

from typing import NamedTuple

import numpy as np

_SUM_OFF = 0.01  # probabilities are often written with two or three digits


class Reliability(NamedTuple):
    """A reliability diagram by confidence, [bins]: how many, their mean confidence and accuracy (0 where there are none)."""

    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def checked(p: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(float64 [N, C], int64 [N]); ValueError that says what is no probability or no class."""
    p, y = np.asarray(p, np.float64), np.asarray(y)
    if p.ndim != 2 or y.shape != p.shape[:1] or not p.size:
        raise ValueError(f"probabilities {list(p.shape)} and classes {list(y.shape)}; give [N, C] and [N], N from 1")
    if y.dtype.kind not in "iu" or not ((y >= 0) & (y < p.shape[1])).all():
        raise ValueError(f"a class that is not one of 0 to {p.shape[1] - 1}; drop undefined labels")
    wrong = ~((p >= 0).all(1) & (np.abs(p.sum(1) - 1) < _SUM_OFF))  # NaN too
    if wrong.any():
        at = int(np.argmax(wrong))
        raise ValueError(f"row {at}: {p[at].tolist()[:8]} are no probabilities; they are 0 or more and sum to 1")
    return p, y.astype(np.int64)


def predicted(p: np.ndarray) -> np.ndarray:
    """The likeliest class; of equal ones the lowest."""
    return np.argmax(p, 1)


def confusion(y: np.ndarray, found: np.ndarray, n_classes: int) -> np.ndarray:
    """How many of true class i were called j, int64 [C, C]."""
    return np.bincount(np.asarray(y) * n_classes + found, minlength=n_classes**2).reshape(n_classes, n_classes)


def accuracy(table: np.ndarray) -> float:
    """Share that is right, of a confusion table."""
    return float(np.trace(table) / table.sum())


def f1(table: np.ndarray) -> np.ndarray:
    """F1 of each class, [C]; 0 for one that neither is nor was called."""
    both = table.sum(0) + table.sum(1)
    return np.where(both > 0, 2 * np.diag(table) / np.maximum(both, 1), 0.0)


def macro_f1(table: np.ndarray) -> float:
    """The mean F1 of all C classes, empty ones included."""
    return float(f1(table).mean())


def mcc(table: np.ndarray) -> float:
    """Matthews' correlation for many classes (Gorodkin 2004); 0 where all are, or were called, of one class."""
    n, right = float(table.sum()), float(np.trace(table))
    called, true = table.sum(0).astype(float), table.sum(1).astype(float)
    spread = (n * n - called @ called) * (n * n - true @ true)
    return float((right * n - called @ true) / np.sqrt(spread)) if spread > 0 else 0.0


def nll_each(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """-log of the probability of the true class, nats [N]; infinite where that was 0."""
    with np.errstate(divide="ignore"):
        return -np.log(p[np.arange(len(y)), y])


def brier_each(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Squared distance from the true class, summed over classes, [N]."""
    return ((p - np.eye(p.shape[1])[y]) ** 2).sum(1)


def reliability(p: np.ndarray, y: np.ndarray, bins: int = 15) -> Reliability:
    """By confidence in equal bins (i / bins, (i + 1) / bins]."""
    sure, right = p.max(1), predicted(p) == y
    edges = np.arange(1, bins) / bins
    place = np.searchsorted(edges, sure, side="left")
    count, total, hits = (np.bincount(place, weights, bins) for weights in (None, sure, right))
    some = np.maximum(count, 1)
    return Reliability(count, total / some, hits / some)


def ece(p: np.ndarray, y: np.ndarray, bins: int = 15) -> float:
    """Expected calibration error: the distance of accuracy from confidence over bins, by their counts."""
    found = reliability(p, y, bins)
    return float((found.count * np.abs(found.accuracy - found.confidence)).sum() / len(y))


def scores(p: np.ndarray, y: np.ndarray, bins: int = 15) -> dict[str, float]:
    """accuracy, macro_f1, mcc, nll, brier, ece. ValueError as `checked`."""
    p, y = checked(p, y)
    table = confusion(y, predicted(p), p.shape[1])
    return {
        "accuracy": accuracy(table),
        "macro_f1": macro_f1(table),
        "mcc": mcc(table),
        "nll": float(nll_each(p, y).mean()),
        "brier": float(brier_each(p, y).mean()),
        "ece": ece(p, y, bins),
    }


def entropy(p: np.ndarray) -> np.ndarray:
    """Of distributions over the last axis, nats."""
    return -np.where(p > 0, p * np.log(np.where(p > 0, p, 1.0)), 0.0).sum(-1)


def uncertainty(members: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(total, aleatoric, epistemic) entropies [...] of an ensemble's probabilities [M, ..., C]: H(mean p), mean H(p), the difference."""
    members = np.asarray(members, np.float64)
    total, aleatoric = entropy(members.mean(0)), entropy(members).mean(0)
    return total, aleatoric, total - aleatoric
