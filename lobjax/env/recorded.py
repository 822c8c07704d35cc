"""A recorded day as the flow of an environment: which starts, and the book at each."""

import jax.numpy as jnp
import numpy as np

from lobjax.book import Book
from lobjax.clock import NS
from lobjax.data.checks import check_day
from lobjax.data.day import Day
from lobjax.data.windows import books_at
from lobjax.errors import InputError
from lobjax.flow import RecordedParams
from lobjax.flow.recorded import to_device

_MOST_STARTS = 4096


def recorded_params(
    day: Day,
    *,
    from_s: float,
    until_s: float,
    episode_s: float,
    every_s: float,
    capacity: int,
    episode_messages: int = 0,
) -> RecordedParams:
    """Starts `every_s` apart from `from_s` on (seconds after midnight), such that every episode ends by `until_s`.

    An episode lasts `episode_s`, or if longer `episode_messages` messages. Only the messages of that time are kept. A start without a
    bid and an ask (an auction, in an order-by-order file) is left out. InputError if no episode fits or the book does not.
    """
    check_day(day)
    row_time = day.row_time_s + day.row_time_ns * 1e-9
    wanted = np.arange(from_s, until_s - episode_s + 1e-9, every_s)
    wanted = wanted[(wanted >= row_time[0]) & (wanted + episode_s <= row_time[-1])]
    last = np.searchsorted(day.time_s + day.time_ns * 1e-9, until_s, side="right")
    rows = _rows_at(row_time, wanted)
    fits = day.row_end[rows] + episode_messages <= last
    wanted, rows = wanted[fits], rows[fits]
    if len(wanted) == 0:
        length = f"{episode_messages} messages" if episode_messages else f"{episode_s:g} s"
        raise InputError(
            f"flow: no episode of {length} fits between {from_s:g} s and {until_s:g} s of a record that spans "
            f"{row_time[0]:.0f} s to {row_time[-1]:.0f} s after midnight; choose other times or a shorter episode"
        )
    if len(wanted) > _MOST_STARTS:
        raise InputError(
            f"flow: {len(wanted)} starts are more than {_MOST_STARTS}; raise env.flow.start_every_s or choose fewer hours"
        )
    seeds = books_at(day, rows, capacity)
    if not (two_sided := (seeds.n > 0).all(axis=1)).any():
        raise InputError(f"flow: none of {len(wanted)} starts has a bid and an ask; choose other times")
    wanted, rows, seeds = wanted[two_sided], rows[two_sided], type(seeds)(*(field[two_sided] for field in seeds))
    live = np.arange(capacity) < seeds.n[:, :, None]
    books = Book(*(jnp.asarray(np.where(live, field, 0)) for field in seeds[:4]))
    first = day.row_end[rows]
    last = max(last, int(first[-1]) + 1)
    offset = int(first[0])
    kept = slice(offset, last)
    messages = type(day.messages)(*(field[kept] for field in day.messages))
    start_ns = np.round(wanted * NS).astype(np.int64)
    return to_device(messages, day.time_s[kept], day.time_ns[kept], first - offset, start_ns, books)


def _rows_at(row_time: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """The last row of no later a time than each of `seconds`: the book as it stands then."""
    return np.searchsorted(row_time, seconds, side="right") - 1
