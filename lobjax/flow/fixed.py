"""Random quantities in integer arithmetic, so that a simulated market is the same to the bit on every engine and device.

Rates are uint32 in units of 2^-18 per second (`RATE_ONE` is one per second; a total must stay below 2^24, 64 events a second);
an exponential draw is uint32 with 24 fractional bits.
"""

import jax
import jax.numpy as jnp
import numpy as np

from lobjax.clock import NS, Time
from lobjax.wide import high_product

RATE_BITS = 18
RATE_ONE = 1 << RATE_BITS
MAX_TOTAL_RATE = (1 << 24) - 1
EXP_BITS = 24
FRACTION_BITS = 16
STEPS = 256
# -ln(x) for x = 1/2 .. 1 in 256 steps; linear in between is within 2e-6.
MINUS_LOG = np.round(-np.log(0.5 + np.arange(STEPS + 1) / (2 * STEPS)) * 2**EXP_BITS).astype(np.uint32)
LN2 = int(MINUS_LOG[0])


def exponential(word: jax.Array, minus_log: jax.Array = MINUS_LOG) -> jax.Array:  # pyright: ignore[reportArgumentType]
    """A uniform uint32 word to an exponential draw of mean 1, uint32 with 24 fractional bits (at most 32 ln 2).

    minus_log: `MINUS_LOG` as an operand, where code may hold no table of its own, as in a GPU kernel.
    """
    word = word | jnp.uint32(1)  # never 0
    zeros = jax.lax.clz(word)
    mantissa = word << zeros
    index = ((mantissa >> 23) & jnp.uint32(STEPS - 1)).astype(jnp.int32)
    fraction = (mantissa >> 8) & jnp.uint32(0x7FFF)
    table = jnp.asarray(minus_log, jnp.uint32) if isinstance(minus_log, np.ndarray) else minus_log
    upper, lower = table[index], table[index + 1]
    return zeros * jnp.uint32(LN2) + upper - (((upper - lower) * fraction) >> 15)


def waiting_time(draw: jax.Array, rate: jax.Array) -> Time:
    """The waiting time `draw / rate` (as scaled above), floored to 2^-30 s, as a Time; a rate of 0 counts as the smallest."""
    rate = jnp.maximum(rate, 1)
    # Long division, eight bits a digit: draw / rate is in units of 2^-6 s and each further digit refines it by 2^-8.
    whole, rest = draw // rate, draw % rate
    fraction = jnp.zeros_like(whole)
    for _ in range(3):
        rest = rest << 8
        fraction = (fraction << 8) | (rest // rate)
        rest = rest % rate
    billionths = ((whole & 63) << 24) | fraction  # 2^-30 s
    ns = high_product(billionths << 2, jnp.full_like(billionths, NS))
    return Time((whole >> 6).astype(jnp.int32), ns.astype(jnp.int32))


def fraction(part: jax.Array, whole: jax.Array) -> jax.Array:
    """`part / whole` for uint32 part <= whole, in 2^-16, floored; a whole of 0 gives 0. Both are first cut to 24 bits."""
    beyond = jnp.uint32(8) - jnp.minimum(jax.lax.clz(whole), jnp.uint32(8))
    return quotient(part >> beyond, jnp.maximum(whole >> beyond, 1))


def quotient(amount: jax.Array, divisor: jax.Array) -> jax.Array:
    """`floor(2^16 amount / divisor)` for uint32, divisor below 2^24, the result below 2^32: a long division, eight bits a digit."""
    found, rest = amount // divisor, amount % divisor
    for _ in range(FRACTION_BITS // 8):
        rest = rest << 8
        found = (found << 8) | (rest // divisor)
        rest = rest % divisor
    return found


def times(rate: jax.Array, multiplier: jax.Array) -> jax.Array:
    """A uint32 rate below 2^24 times a multiplier in 2^-16, below 2^24; floored."""
    return high_product(rate << 8, multiplier << 8)


def to_rate(per_second: float) -> int:
    """A rate in events per second as a host integer in units of 2^-18 per second, rounded."""
    return round(per_second * RATE_ONE)


def thresholds(probabilities: np.ndarray) -> np.ndarray:
    """Probabilities `[S]` to uint32 thresholds `[S - 1]`: outcome `k` of a random word is the number of thresholds <= word."""
    cumulative = np.cumsum(np.asarray(probabilities, np.float64)) / np.sum(probabilities)
    return np.minimum(np.round(cumulative[:-1] * 2**32), 2**32 - 1).astype(np.uint32)
