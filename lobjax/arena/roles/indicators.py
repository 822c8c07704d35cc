"""Indicators of the mid price, carried from decision to decision: nothing looks ahead, and a prefix of a path gives a prefix of values.

Moving averages are exponential with a weight of 2 / (n + 1). RSI as Wilder (1978), weights 1 / n; MACD 12/26/9 as Appel.
"""

from dataclasses import dataclass

import flax.struct
import jax
import jax.numpy as jnp

_FAST, _SLOW, _SIGNAL, _RSI = 12, 26, 9, 14


class IndicatorState(flax.struct.PyTreeNode):
    """Mids in ticks, float32; `past` is a ring with the oldest first."""

    past: jax.Array  # [lookback + 1]
    fast: jax.Array
    slow: jax.Array
    signal: jax.Array  # of MACD
    rise: jax.Array
    fall: jax.Array


@dataclass(frozen=True)
class Indicators:
    """Indicators over a path of mids; `lookback` decisions for the return."""

    lookback: int

    @property
    def names(self) -> tuple[str, ...]:
        """One for each entry of `read`."""
        return "return_lookback", "above_fast_average", "above_slow_average", "macd", "macd_histogram", "rsi"

    def begin(self, mid: jax.Array) -> IndicatorState:
        """As if the mid had always been this."""
        zero = jnp.float32(0)
        return IndicatorState(jnp.full((self.lookback + 1,), mid, jnp.float32), mid, mid, zero, zero, zero)

    def see(self, state: IndicatorState, mid: jax.Array) -> IndicatorState:
        """The next mid."""
        change = mid - state.past[-1]
        fast, slow = _average(state.fast, mid, _FAST), _average(state.slow, mid, _SLOW)
        return IndicatorState(
            past=jnp.concatenate([state.past[1:], mid[None]]),
            fast=fast,
            slow=slow,
            signal=_average(state.signal, fast - slow, _SIGNAL),
            rise=state.rise + (jnp.maximum(change, 0) - state.rise) * jnp.float32(1 / _RSI),
            fall=state.fall + (jnp.maximum(-change, 0) - state.fall) * jnp.float32(1 / _RSI),
        )

    def change(self, state: IndicatorState) -> jax.Array:
        """Of the mid over the lookback, ticks."""
        return state.past[-1] - state.past[0]

    def read(self, state: IndicatorState, per_tick: jax.Array) -> jax.Array:
        """float32 `[6]`: prices times `per_tick`; RSI from -1 to 1, 0 where nothing moved."""
        mid, both = state.past[-1], state.rise + state.fall
        macd = state.fast - state.slow
        prices = jnp.stack([self.change(state), mid - state.fast, mid - state.slow, macd, macd - state.signal])
        rsi = jnp.where(both > 0, (state.rise - state.fall) / jnp.maximum(both, jnp.float32(1e-20)), 0.0)
        return jnp.append(prices * per_tick, rsi)


def _average(old: jax.Array, new: jax.Array, steps: int) -> jax.Array:
    return old + (new - old) * jnp.float32(2 / (steps + 1))
