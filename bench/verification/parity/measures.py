"""How far two arrays are apart: relative L2 distance and cosine, in double precision."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np


class Apart(NamedTuple):
    """`l2` = |a - b| / |b|; `cosine` of the angle between them. Two arrays of zeros: 0 and 1."""

    l2: float
    cosine: float


def apart(a: Any, b: Any) -> Apart:
    """Of two arrays, or of two mappings of arrays taken as one long vector each; `b` is what `a` is held against."""
    x, y = _vector(a), _vector(b)
    norms = np.linalg.norm(x), np.linalg.norm(y)
    difference = float(np.linalg.norm(x - y))
    if difference == 0:
        return Apart(0.0, 1.0)
    return Apart(
        difference / float(norms[1]) if norms[1] else float("inf"),
        float(x @ y) / float(norms[0] * norms[1]) if norms[0] and norms[1] else 0.0,
    )


def _vector(x: Any) -> np.ndarray:
    if isinstance(x, Mapping):
        return np.concatenate([np.ravel(x[name]).astype(np.float64) for name in sorted(x)])
    return np.ravel(x).astype(np.float64)
