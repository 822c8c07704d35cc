"""18 indicators of the mid and of traded volume, each with its causal definition. Carries averages and the last 32 values.

m: mids up to and with the sample; EMA n has weight 2 / (n + 1) and begins at the first mid. While a window is not full it has what there
is; where a range or a deviation is 0, positions are .5 (RSI, stochastic, Donchian) or 0 (the others).
"""

import numpy as np
from numba import njit

EMA, RSI = (5, 10, 20, 60), (6, 14)
NAMES = (
    *(f"ema_{n}" for n in EMA),  # EMA n over m, less 1
    "macd", "macd_signal", "macd_histogram",  # (EMA 12 - EMA 26) / m; its EMA 9; the difference
    *(f"rsi_{n}" for n in RSI),  # Wilder's, 0 to 1: mean rise over mean rise and fall, of weight 1 / n
    "bollinger_position", "bollinger_width",  # (m - mean 20) / 2 std, and 4 std / mean
    "stochastic_k", "stochastic_d",  # m in the range of the last 14, 0 to 1; its mean over 3
    "cci",  # (m - mean 20) / (.015 mean absolute deviation)
    "rate_of_change",  # m over that 10 before, less 1
    "donchian_position",  # m in the range of the last 20, 0 to 1
    "volume_z",  # traded lots against mean and std of the 20 samples before
    "volume_balance",  # lots bought less sold over lots traded, last 20
)  # fmt: skip
LEVEL_OF = (1,) * 18
_RING = 32
_EMA, _RSI = np.array(EMA), np.array(RSI)
_MIDS, _TRADED, _SIGNED, _K = range(4)  # rings
_FAST, _SLOW, _SIGNAL, _GAIN, _LOSS = 4, 5, 6, 7, 9  # averages: 4 of EMA, MACD's three, rises and falls of both RSI


def start() -> tuple[np.ndarray, np.ndarray]:
    """Rings [4, 32] and averages [11]."""
    return np.zeros((4, _RING)), np.zeros(11)


@njit(cache=True)
def _range_position(ring, t, window):
    low = high = ring[t % _RING]
    for k in range(1, min(window, t + 1)):
        value = ring[(t - k) % _RING]
        low, high = min(low, value), max(high, value)
    return (ring[t % _RING] - low) / (high - low) if high > low else 0.5


@njit(cache=True)
def _mean_std(ring, last, many):
    """Of the `many` values up to place `last`."""
    base = ring[last % _RING]
    total = 0.0
    for k in range(many):
        total += ring[(last - k) % _RING] - base
    mean = base + total / many
    squares = 0.0
    for k in range(many):
        squares += (ring[(last - k) % _RING] - mean) ** 2
    return mean, np.sqrt(squares / many)


@njit(cache=True)
def fill(mid, traded, signed, count, rings, means, out):
    """`out` float64 [S, 18]; `count` samples came before."""
    for s in range(mid.shape[0]):
        t, m = count + s, mid[s]
        before = rings[_MIDS, (t - 1) % _RING] if t > 0 else m
        rings[_MIDS, t % _RING], rings[_TRADED, t % _RING], rings[_SIGNED, t % _RING] = m, traded[s], signed[s]
        if not m > 0:
            continue
        if not before > 0:
            before = m
        if means[0] == 0.0:
            means[:6] = m
        for i in range(4):
            means[i] += 2.0 / (_EMA[i] + 1) * (m - means[i])
            out[s, i] = means[i] / m - 1
        means[_FAST] += 2.0 / 13 * (m - means[_FAST])
        means[_SLOW] += 2.0 / 27 * (m - means[_SLOW])
        macd = (means[_FAST] - means[_SLOW]) / m
        means[_SIGNAL] += 0.2 * (macd - means[_SIGNAL])
        out[s, 4], out[s, 5], out[s, 6] = macd, means[_SIGNAL], macd - means[_SIGNAL]
        for i in range(2):
            means[_GAIN + i] += (max(m - before, 0.0) - means[_GAIN + i]) / _RSI[i]
            means[_LOSS + i] += (max(before - m, 0.0) - means[_LOSS + i]) / _RSI[i]
            both = means[_GAIN + i] + means[_LOSS + i]
            out[s, 7 + i] = means[_GAIN + i] / both if both > 0 else 0.5
        many = min(20, t + 1)
        mean, std = _mean_std(rings[_MIDS], t, many)
        if std > 0:
            out[s, 9] = (m - mean) / (2 * std)
        out[s, 10] = 4 * std / mean if mean > 0 else 0.0
        rings[_K, t % _RING] = out[s, 11] = _range_position(rings[_MIDS], t, 14)
        total = 0.0
        for k in range(min(3, t + 1)):
            total += rings[_K, (t - k) % _RING]
        out[s, 12] = total / min(3, t + 1)
        off = 0.0
        for k in range(many):
            off += abs(rings[_MIDS, (t - k) % _RING] - mean)
        if off > 0:
            out[s, 13] = (m - mean) / (0.015 * off / many)
        if t >= 10 and rings[_MIDS, (t - 10) % _RING] > 0:
            out[s, 14] = m / rings[_MIDS, (t - 10) % _RING] - 1
        out[s, 15] = _range_position(rings[_MIDS], t, 20)
        if t > 1:
            usual, spread = _mean_std(rings[_TRADED], t - 1, min(20, t))
            if spread > 0:
                out[s, 16] = (traded[s] - usual) / spread
        lots = bought = 0.0
        for k in range(many):
            lots += rings[_TRADED, (t - k) % _RING]
            bought += rings[_SIGNED, (t - k) % _RING]
        if lots > 0:
            out[s, 17] = bought / lots
