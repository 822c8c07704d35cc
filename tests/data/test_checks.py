"""Days that cannot be are refused before a loop runs over them, whoever made them; and loops that bad days do reach stay inside."""

import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.book import Book
from lobjax.data import Day, Replay, build_day
from lobjax.data.checks import check_day
from lobjax.data.day import DayInfo
from lobjax.engine import run_streams
from lobjax.errors import InputError
from lobjax.flow.recorded import recorded_params, to_device
from lobjax.reference import batch
from lobjax.snapshot.host import account, fills
from lobjax.types import Message
from tests.data.synthetic_lobster import make_rows, write_pair
from tests.reading.readers import streams


@pytest.fixture(scope="module")
def day(tmp_path_factory) -> Day:
    return build_day(write_pair(tmp_path_factory.mktemp("day"), *make_rows(levels=2, rows=60, seed=4, depth=6)))


def put(array: np.ndarray, value, at: int = 5) -> np.ndarray:
    changed = array.copy()
    changed[at] = value
    return changed


def of_messages(name: str, value, at: int = 5):
    return lambda day: day._replace(
        messages=day.messages._replace(**{name: put(getattr(day.messages, name), value, at)})
    )


def of_prints(name: str, value):
    return lambda day: day._replace(prints=day.prints._replace(**{name: put(getattr(day.prints, name), value, 1)}))


def of(name: str, change):
    return lambda day: day._replace(**{name: change(getattr(day, name))})


def info(**changes):
    return lambda day: day._replace(info=DayInfo(**{**vars(day.info), **changes}))


def narrow_prices(day: Day) -> Day:
    return day._replace(prints=day.prints._replace(price=day.prints.price.astype(np.int32)))


FAULTS = {
    "kind": (of_messages("kind", 99), "kind is 99 at 5, above"),
    "negative kind": (of_messages("kind", -1), "kind is -1 at 5, below 0"),
    "side": (of_messages("side", 2), "side is 2 at 5"),
    "price": (of_messages("price", -1), "price is -1 at 5"),
    "no price": (of_messages("price", 0, 0), "price is 0 at 0, for an order"),
    "size": (of_messages("size", -2), "size is -2"),
    "no size": (of_messages("size", 0, 0), "size is 0 at 0, for an order"),
    "agent's id": (of_messages("order_id", 1 << 30), "order_id is 1073741824"),
    "no id": (of_messages("order_id", 0, 0), "order_id is 0 at 0, for an order that is named"),
    "owner": (of_messages("owner", 1), "owner is 1 at 5"),
    "short": (lambda day: day._replace(messages=Message(*(field[:-1] for field in day.messages))), "kind has"),
    "empty": (lambda day: day._replace(messages=Message(*(field[:0] for field in day.messages))), "kind has 0 values"),
    "wide": (
        lambda day: day._replace(messages=Message(*(field.astype(np.int64) for field in day.messages))),
        "kind is int64",
    ),
    "square": (of("row_end", lambda x: x[:, None]), "row_end is int32 [60, 1]"),
    "list": (of("row_end", list), "row_end is a list"),
    "origin": (of("origin", lambda x: put(x, 7)), "origin is 7"),
    "beyond": (of("row_end", lambda x: put(x, 10**6, -1)), "row_end is 1000000 at 59"),
    "negative end": (of("row_end", lambda x: put(x, -1)), "row_end is -1 at 5"),
    "falling end": (of("row_end", lambda x: put(x, 0)), "row_end is 0 at 5, less than the one before"),
    "ends early": (of("row_end", lambda x: put(x, x[-2], -1) - (x == x[-1])), "row_end"),
    "row": (of("row", lambda x: put(x, 60)), "row is 60 at 5"),
    "negative row": (of("row", lambda x: put(x, -1)), "row is -1"),
    "other row": (of("row", lambda x: put(x, x[5] + 1)), "against row_end"),
    "fewer rows": (of("row_event", lambda x: x[:-1]), "row_event has 59 values, not 60"),
    "event": (of("row_event", lambda x: put(x, 11)), "row_event is 11"),
    "time back": (of("row_time_s", lambda x: put(x, 1)), "row_time goes back at 5"),
    "negative time": (of("row_time_s", lambda x: put(x, -1)), "row_time_s is -1"),
    "nanoseconds": (of("row_time_ns", lambda x: put(x, 10**9)), "row_time_ns is 1000000000"),
    "other time": (of("time_ns", lambda x: x // 2), "not that of its row"),
    "print's row": (of_prints("row", 60), "prints.row is 60"),
    "print's order": (of_prints("row", 0), "prints.row is 0 at 1, less"),
    "print's event": (of_prints("event", 1), "prints.event is 1 at 1, not an execution"),
    "print's side": (of_prints("side", -1), "prints.side is -1"),
    "print's size": (of_prints("size_lots", -1), "prints.size_lots is -1"),
    "print's price": (narrow_prices, "prints.price is int32"),
    "rows": (info(rows=10**9), "row_end has 60 values"),
    "no rows": (info(rows=0), "it has no rows"),
    "orders": (info(max_orders=10**9), "max_orders is 1,000,000,000, of"),
    "counts": (info(counts={"messages": 1}), "counts say 1 messages"),
    "seeded": (info(counts={"seeded": 10**6}), "counts say 1,000,000 seeded"),
}


def sampled(day: Day):
    """The parameters of a recorded flow."""
    return recorded_params(day, from_s=0, until_s=1e5, episode_s=1.0, every_s=1.0, capacity=64)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_day_that_cannot_be_is_refused(day, fault):
    change, words = FAULTS[fault]
    wrong = change(day)
    for use in (check_day, sampled):
        with pytest.raises(InputError) as caught:
            use(wrong)
        assert words in str(caught.value)
    assert check_day(day) is day


@pytest.mark.parametrize(
    "fault", ["short", "empty", "wide", "square", "list", "beyond", "negative end", "falling end", "rows", "orders"]
)
def test_a_replay_that_would_leave_its_arrays_is_refused(day, fault):
    with pytest.raises(InputError):
        Replay(FAULTS[fault][0](day))


def test_a_day_that_holds_more_orders_than_it_says(day):
    with pytest.raises(InputError, match="holds more than 1 orders"):
        Replay(info(max_orders=1)(day)).levels(60, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"levels": 0}, {"levels": -1}, {"levels": 10**6}, {"levels": 2.0}, {"levels": True}, {"tick_size": 0}, {"margin": -1},
        {"rows": "9"}, {"rows": 2**31}, {"max_orders": None}, {"counts": [1]}, {"counts": {"pruned": -1}},
        {"counts": {"pruned": 1.5}}, {"counts": {1: 1}}, {"counts": {"pruned": 2**63}}, {"sources": {"a": 1}}, {"symbol": 7},
        {"date": "x" * 2000}, {"book": "novel"}, {"book": []},
    ],
    ids=str,
)  # fmt: skip
def test_what_a_day_cannot_say_of_itself(day, change):
    with pytest.raises(ValueError, match="must"):
        info(**change)(day)


def test_records_made_by_hand_are_checked():
    count, starts = 6, np.array([0, 3])
    rows = np.arange(count, dtype=np.int32)
    good = Message(0 * rows + 1, rows % 2, 100 + rows % 2, 0 * rows + 1, rows + 1, 0 * rows)
    blank = jnp.zeros((2, 2, 8), jnp.int32)

    def made(messages=good, time_s=rows, time_ns=0 * rows, first=starts, start_ns=starts * 10**9, **book):
        fields = {name: book.get(name, blank) for name in ("price", "size", "order_id", "owner")}
        return to_device(messages, time_s, time_ns, first, start_ns, Book(**fields))

    assert made().first.tolist() == [0, 3]
    two = np.zeros((2, 2, 8), np.int32)
    cases = (
        ({"first": np.array([0, 7])}, "first is 7 at 1, above 6"),
        ({"first": np.array([-1, 3])}, "first is -1"),
        ({"first": starts[:0], "start_ns": starts[:0]}, "at least one start"),
        ({"first": np.array([0.0, 3.0])}, "first is float64"),
        ({"time_s": rows[:-1]}, r"time_s is int32 \[5\]; give whole numbers \[6\]"),
        ({"time_s": rows[::-1]}, "time goes back at 1"),
        ({"time_ns": rows + 10**9}, "time_ns is 1000000000"),
        ({"start_ns": np.array([-1, 5])}, "start_ns is -1"),
        ({"start_ns": np.array([1])}, "start_ns is"),
        ({"messages": good._replace(side=rows[:2])}, r"side is int32 \[2\]"),
        ({"messages": good._replace(price=rows.astype(np.int64) + 2**40)}, "beyond 32 bits"),
        (
            {"messages": Message(*(field[:0] for field in good)), "time_s": rows[:0], "time_ns": rows[:0]},
            "at least one message",
        ),
        ({"size": two - 1}, "size or a price below 1"),
        ({"size": two + 1}, "size or a price below 1"),
        ({"size": two + 1, "price": two + np.arange(1, 9)}, "behind worse ones"),
        ({"size": two + 1, "price": two + 5}, "are crossed"),
        ({"size": two[:1]}, r"books.size is int32 \[1, 2, 8\]"),
        ({"size": np.zeros((2, 2, 0), np.int32)}, "books hold 0 orders"),
        ({"owner": two[:, :1]}, "books.owner is"),
    )
    for wrong, words in cases:
        with pytest.raises(ValueError, match=words):
            made(**wrong)


def test_streams_and_snapshots_of_lengths_that_differ():
    given = Message(**streams())
    assert batch.run(given, 8)[2].shape == (2, 3)
    for wrong in (
        given._replace(size=given.size[:, :2]),
        given._replace(side=given.side[:1]),
        Message(*(field[0] for field in given)),
    ):
        for call in (
            lambda wrong=wrong: batch.run(wrong, 8),
            lambda wrong=wrong: run_streams(wrong, engine="reference", capacity=8),
        ):
            with pytest.raises(ValueError, match="must be of one shape"):
                call()
    with pytest.raises(InputError, match=r"100,000,000,000 books of capacity 8 needs about .* of memory"):
        many = Message(*(np.broadcast_to(np.int32(0), (10**11, 1)) for _ in Message._fields))
        run_streams(many, engine="reference", capacity=8)
    side = np.ones((4, 1, 2), np.int32)
    for call in (
        lambda: fills.execute_trade(side, side, 0, 1, 9, 4),
        lambda: fills.execute_trade(side, side, -1, 1, 9, 3),
        lambda: account.future_reward((0, 0, 0), (0, 0, 0), side, side, 0, 4, 9, 0.9, (0, 0)),
        lambda: account.hold_values(0, side, side, 2, 1, 1, 2, (0, 0)),
    ):
        with pytest.raises(IndexError, match="no such snapshot"):
            call()


def test_loops_stay_inside_their_arrays():
    """The same fuzz with Numba's compiler off: NumPy then checks every index, where compiled code would read or write elsewhere."""
    script = Path(__file__).with_name("fuzz_loops.py")
    done = subprocess.run(
        [sys.executable, "-W", "ignore::RuntimeWarning", script, os.environ.get("LOBJAX_FUZZ_EXAMPLES", "1")],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
