"""Points of the simplex (weights >= 0 that sum to 1): the nearest one, and the one where a convex quadratic is least."""

import numpy as np

_MOST_PIVOTS = 10_000
_DUAL = 1e-13  # of the gradient's size: what rounding leaves of a multiplier that is 0


def projected(point: np.ndarray) -> np.ndarray:
    """The nearest point of the simplex to `point` [N], in the Euclidean norm (Duchi et al. 2008)."""
    falling = np.sort(point)[::-1]
    excess = (np.cumsum(falling) - 1) / np.arange(1, len(point) + 1)
    last = np.flatnonzero(falling > excess)
    theta = excess[last[-1]] if len(last) else excess[-1]
    return np.maximum(point - theta, 0)


def least_quadratic(matrix: np.ndarray, linear: np.ndarray, start: np.ndarray) -> np.ndarray:
    """argmin x'Ax/2 - c'x over the simplex, from the point `start`: a primal active set, exact but for rounding.

    `matrix` A [N, N] positive definite (semidefinite: some minimiser). Each pivot adds an asset to the support or takes one out.
    """
    x = start.copy()
    support = x > 0
    for _ in range(_MOST_PIVOTS):
        inside = np.flatnonzero(support)
        goal = np.zeros_like(x)
        goal[inside] = _on_support(matrix[np.ix_(inside, inside)], linear[inside])
        falls = support & (goal < 0)
        if falls.any():  # go as far as the first weight that becomes 0
            steps = np.where(falls, x / np.where(falls, x - goal, 1), np.inf)
            first = int(np.argmin(steps))
            x = np.maximum(x + steps[first] * (goal - x), 0)
            x[first] = 0
            support[first] = False
            continue
        x = goal
        gradient = matrix @ x - linear
        level = (gradient * x).sum()
        slack = np.where(support, 0, gradient - level)
        worst = int(np.argmin(slack))
        if slack[worst] >= -_DUAL * (np.abs(matrix).max() + np.abs(linear).max()):
            return x
        support[worst] = True
    raise ArithmeticError(f"no minimum after {_MOST_PIVOTS} pivots")


def _on_support(matrix: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """The minimiser where weights sum to 1 and may be negative."""
    both = np.stack([linear, np.ones_like(linear)], axis=1)
    try:
        solved = np.linalg.solve(matrix, both)
    except np.linalg.LinAlgError:  # assets that are one another's copies
        solved = np.linalg.lstsq(matrix, both, rcond=None)[0]
    free, along = solved.T
    return free + along * ((1 - free.sum()) / along.sum())
