"""Who is best: alpha-rank (Omidshafiei et al. 2019, arXiv 1903.01373) of players in populations, one a group of seats.

A profile names one player of every group. From it the chain moves to a profile in which one group plays otherwise: surely if that group
gains, hardly ever if it loses (the limit of strong selection, with a small chance of the other way, so that one distribution is
stationary). What mass profiles hold in the long run ranks players; sampling error of payoffs is carried through by the bootstrap.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

MUTATION = 1e-3  # the chance of a step that loses


class Standing(NamedTuple):
    """A player of a group: its share of the long run, the interval of that, its place, and that of the draws."""

    mass: float
    low: float
    high: float
    place: int  # 1 is best
    place_low: int
    place_high: int
    first: float  # share of draws in which it is first


def alpha_rank(payoffs: np.ndarray) -> np.ndarray:
    """The stationary distribution over profiles, of payoffs [draws, K_1, ..., K_G, G]: [draws, K_1, ..., K_G]."""
    draws, sizes = payoffs.shape[0], payoffs.shape[1:-1]
    groups, count = len(sizes), int(np.prod(sizes))
    flat = payoffs.reshape(draws, count, groups)
    moves = sum(size - 1 for size in sizes)
    if moves == 0:
        return np.ones((draws, *sizes))
    chain = np.zeros((draws, count, count))
    places = list(product(*(range(size) for size in sizes)))
    index = {place: at for at, place in enumerate(places)}
    for at, place in enumerate(places):
        for group, size in enumerate(sizes):
            for other in range(size):
                if other == place[group]:
                    continue
                to = index[(*place[:group], other, *place[group + 1 :])]
                gain = flat[:, to, group] - flat[:, at, group]
                chain[:, at, to] = np.where(gain > 0, 1 - MUTATION, np.where(gain < 0, MUTATION, 0.5)) / moves
    chain[:, np.arange(count), np.arange(count)] = 1 - chain.sum(-1)
    equations = np.swapaxes(chain, 1, 2) - np.eye(count)
    equations[:, -1] = 1  # and the masses sum to one
    right = np.zeros((draws, count, 1))
    right[:, -1] = 1
    return np.maximum(np.linalg.solve(equations, right)[..., 0], 0).reshape(draws, *sizes)


def standings(payoffs: np.ndarray, drawn: np.ndarray, ends) -> list[list[Standing]]:
    """Of every group's players, by payoffs [K_1, ..., K_G, G] and their draws [draws, ...]; ends: draws [draws, K] -> [2, K]."""
    mass, masses = alpha_rank(payoffs[None])[0], alpha_rank(drawn)
    found = []
    for group in range(mass.ndim):
        others = tuple(k for k in range(mass.ndim) if k != group)
        own, each = mass.sum(others), masses.sum(tuple(k + 1 for k in others))
        low, high = ends(each)
        place, places = _places(own[None])[0], _places(each)
        early, late = np.quantile(places, [0.025, 0.975], axis=0, method="nearest").astype(int)
        first = (places == 1).mean(0)
        found.append([
            Standing(float(own[k]), float(low[k]), float(high[k]), int(place[k]), int(early[k]), int(late[k]), float(first[k]))
            for k in range(len(own))
        ])  # fmt: skip
    return found


def _places(mass: np.ndarray) -> np.ndarray:
    """1 for the largest of [draws, K]; equals share the better place."""
    rounded = np.round(mass, 9)
    return 1 + (rounded[:, None, :] > rounded[:, :, None]).sum(-1)
