"""Days of book snapshots: files in, views by index, and what trading against the visible levels gives, in JAX and in Numba.

`fills`, `account` and `rewards` are pure functions for one book, to be mapped; `host` has the same in Numba, in 64-bit
integers. Both give the same ticks and lots to the bit (`tests/snapshot`).
"""

from lobjax.snapshot.account import Account, Costs, account_state, liquidation_value, opened, settled
from lobjax.snapshot.day import Snapshots, load_snapshots, sampled, write_npz
from lobjax.snapshot.fills import Fill, Trade, execute_trade, find_fill_price
from lobjax.snapshot.rewards import future_reward, hold_values
from lobjax.snapshot.windows import window, windows

__all__ = [
    "Account", "Costs", "Fill", "Snapshots", "Trade", "account_state", "execute_trade", "find_fill_price", "future_reward", "hold_values",
    "liquidation_value", "load_snapshots", "opened", "sampled", "settled", "window", "windows", "write_npz",
]  # fmt: skip
