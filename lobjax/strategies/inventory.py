"""The linear system behind optimal quotes: a value for every inventory, and its solution for any time left, in logarithms.

With fills at rate A exp(-k depth), the value function of a market maker who may hold -Q..Q units becomes linear: a positive vector
w(q) grows over the time left s, from its terminal values, as
    dw(q)/ds = coupling (w(q - 1) + w(q + 1)) - decline(q) w(q),    w = 0 beyond the bounds.
Optimal depths are differences of log w. Both Gueant, Lehalle and Fernandez-Tapia (Proposition 1) and Cartea and Jaimungal are of this form.
w spans hundreds of orders of magnitude, so it is kept as its logarithm, and the matrix exponential is taken of a matrix without
negative entries, where nothing cancels: every component keeps its relative accuracy.
"""

import numpy as np
from scipy.linalg import eigh_tridiagonal

_SUBSTEP = 32.0  # the largest norm that is exponentiated at once
_MOST_WORK = 4e9  # entries of a matrix times substeps
_MOST_ENTRIES = 1 << 24  # of the matrix, several copies of which are there while it is exponentiated
_MOST_SUBSTEPS = 500_000  # each of which takes some microseconds, however small the matrix


def units(q_max: int) -> np.ndarray:
    """Inventories -Q..Q, float64 `[2 Q + 1]`. ValueError where Q is below 1."""
    if q_max < 1:
        raise ValueError(f"q_max is {q_max}; at least one unit must be allowed")
    return np.arange(-q_max, q_max + 1, dtype=np.float64)


def log_solution(decline: np.ndarray, coupling: float, terminal: np.ndarray, step: float, steps: int) -> np.ndarray:
    """log w, float64 `[steps + 1, 2 Q + 1]`: row n with n * `step` of time left, row 0 being `terminal` (a logarithm).

    decline: `[2 Q + 1]`, not negative; coupling: positive; both per unit of time. ValueError where it would take too long.
    """
    shift = float(decline.max())
    norm = (shift + 2 * coupling) * step
    substeps = max(1, int(np.ceil(norm / _SUBSTEP)))
    total = steps * substeps
    if not np.isfinite(norm) or total > _MOST_SUBSTEPS or total * len(decline) ** 2 > _MOST_WORK:
        raise ValueError(
            "these rates and penalties are too large for the time left and q_max; lower q_max, or check the units"
        )
    if len(decline) ** 2 > _MOST_ENTRIES:
        raise ValueError(
            f"{len(decline):,} inventories are too many for a matrix; lower q_max (inventory_limit / quote)"
        )
    matrix = np.diag(shift - decline) + coupling * (np.eye(len(decline), k=1) + np.eye(len(decline), k=-1))
    with np.errstate(divide="ignore", under="ignore"):
        log_step = np.log(_exponential(matrix * (step / substeps))) - shift * step / substeps
    rows = [np.asarray(terminal, np.float64)]
    for _ in range(steps):
        log_w = rows[-1]
        for _ in range(substeps):
            log_w = _log_product(log_step, log_w)
        rows.append(log_w)
    return np.stack(rows)


def log_stationary(decline: np.ndarray, coupling: float) -> np.ndarray:
    """log w up to a constant when the end is far away, float64 `[2 Q + 1]`: the eigenvector that grows fastest.

    decline must be the same for q and -q. Its ratios follow from the bound inwards, w(q) / w(q - 1) = coupling / (decline(q) - slowest -
    coupling w(q + 1) / w(q)), which keeps the smallest components exact where an eigenvector routine does not.
    """
    off = np.full(len(decline) - 1, -coupling)
    slowest = eigh_tridiagonal(decline, off, eigvals_only=True, select="i", select_range=(0, 0))[0]
    q_max = len(decline) // 2
    log_ratio, ratio = np.zeros(q_max + 1), 0.0
    for q in range(q_max, 0, -1):
        ratio = coupling / (decline[q_max + q] - slowest - coupling * ratio)
        log_ratio[q] = np.log(ratio)
    half = np.cumsum(log_ratio)
    return np.concatenate([half[:0:-1], half])


def depths(log_w: np.ndarray, per_price: float, base: float) -> np.ndarray:
    """Optimal depths float64 `[..., 2, 2 Q + 1]` from log w `[..., 2 Q + 1]`: bid, then ask; infinite where a fill would break the bound.

    base + (log w(q) - log w(q + 1)) / per_price for the bid, with q - 1 for the ask.
    """
    gained = -np.diff(log_w, axis=-1) / per_price
    bound = np.full((*log_w.shape[:-1], 1), np.inf)
    bid = np.concatenate([base + gained, bound], axis=-1)
    ask = np.concatenate([bound, base - gained], axis=-1)
    return np.stack([bid, ask], axis=-2)


def _log_product(log_matrix: np.ndarray, log_vector: np.ndarray) -> np.ndarray:
    """The logarithm of a matrix times a vector, both given by logarithms."""
    terms = log_matrix + log_vector
    largest = terms.max(axis=1)
    return largest + np.log(np.exp(terms - largest[:, None]).sum(axis=1))


def _exponential(matrix: np.ndarray) -> np.ndarray:
    """exp of a matrix without negative entries, by Taylor's series and squaring: sums of positive terms only."""
    squarings = max(0, int(np.ceil(np.log2(max(np.abs(matrix).sum(axis=1).max(), 1e-300)))))
    small = matrix / 2.0**squarings
    term = total = np.eye(len(matrix))
    for n in range(1, 20):
        term = term @ small / n
        total = total + term
    for _ in range(squarings):
        total = total @ total
    return total
