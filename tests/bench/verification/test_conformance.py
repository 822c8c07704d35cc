"""`python -m bench conformance`: passes where engines agree, and finds, shrinks and prints what a broken one does."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from bench.commands.conformance import conformance
from bench.verification.streams.difference import differing_books
from bench.verification.streams.shrink import Probe
from lobjax.engine import ENGINES, StreamEngine, StreamResult, run_streams, trace_streams
from lobjax.errors import InputError
from lobjax.kinds import Kind
from lobjax.types import Message, Side

CAPACITY = 8


@pytest.fixture(autouse=True)
def registry():
    """Engines as they were, in their order, after every test."""
    before = dict(ENGINES.items())
    yield
    ENGINES._entries = before


def named(name: str, run, trace, refusal=lambda capacity: None) -> None:
    """Register an engine that `auto` does not take."""
    engine = StreamEngine(run=run, trace=trace, refusal=refusal, suits=lambda: None)
    ENGINES.add(name, lambda: engine)


def broken(change: Callable[[Message, int], Message], **others) -> None:
    """Register an engine that is the reference on other messages than it was given."""

    def play(function: str):
        def run(messages: Message, capacity: int):
            return getattr(ENGINES["reference"](), function)(change(messages, capacity), capacity)

        return run

    named("broken", play("run"), play("trace"), **others)


def where(messages: Message, place: np.ndarray, **fields: int) -> Message:
    return messages._replace(
        **{name: np.where(place, value, getattr(messages, name)).astype(np.int32) for name, value in fields.items()}
    )


def deletes_as_cancels_of_seven(messages: Message, _: int) -> Message:
    return where(messages, messages.kind == Kind.DELETE, kind=Kind.CANCEL, size=7)


def no_post_only_bids(messages: Message, _: int) -> Message:
    return where(messages, (messages.kind == Kind.POST_ONLY) & (messages.side == Side.BID), kind=Kind.LIMIT)


def big_sizes_wrap(messages: Message, _: int) -> Message:
    return where(messages, messages.size > 2**30, size=1)


def everyone_is_the_background(messages: Message, _: int) -> Message:
    return where(messages, messages.owner > 2, owner=0)


def run(capsys, status: int, **options) -> tuple[str, dict]:
    """What the command prints before its summary, and its record."""
    if status:
        with pytest.raises(SystemExit) as left:
            conformance(**options)
        assert left.value.code == status
    else:
        conformance(**options)
    *shown, summary, record = capsys.readouterr().out.splitlines()
    assert "against the reference" in summary
    return "\n".join(shown), json.loads(record)


def play(test: str) -> None:
    """Run the one test function of a printed test."""
    names: dict = {}
    exec(test, names)
    (function,) = (value for name, value in names.items() if name.startswith("test_"))
    function()


@pytest.mark.parametrize(
    ("change", "length", "words"),
    [
        # An order of more than seven lots, and the DELETE that left some of it.
        (deletes_as_cancels_of_seven, 2, ["(Kind.LIMIT, Side.BID, 1, 8, 1, 0)", "(Kind.DELETE, Side.BID, 0, 0, 1, 0)"]),
        # Something to meet, and a POST_ONLY that met it.
        (no_post_only_bids, 2, ["(Kind.LIMIT, Side.ASK, 1, 1, 1, 0)", "(Kind.POST_ONLY, Side.BID, 1, 1, 1, 0)"]),
        (big_sizes_wrap, 1, [f"(Kind.LIMIT, Side.BID, 1, {2**30 + 1}, 1, 0)"]),
        (everyone_is_the_background, 1, ["(Kind.LIMIT, Side.BID, 1, 1, 1, 3)"]),
    ],
)
@pytest.mark.parametrize("ends", [False, True], ids=["every message", "ends"])
def test_a_broken_engine_is_found_shrunk_and_printed_as_a_test_that_fails(capsys, change, length, words, ends):
    broken(change)
    test, record = run(capsys, 1, books=30, messages=200, seed=1, engines="broken", capacity=(CAPACITY,), ends=ends)
    rows = [line.strip() for line in test.splitlines() if line.startswith("        (")]
    assert len(rows) == length and rows == [word + "," for word in words]
    with pytest.raises(AssertionError):
        play(test)
    play(test.replace('engine="broken"', 'engine="reference"'))
    assert 0 < record["differences"] <= 30 and record["compared_messages"] == 30 * 200


def test_what_is_printed_cannot_be_made_shorter_or_smaller(capsys):
    # From the third LIMIT on, every size is taken for one.
    played: list[Message] = []

    def change(messages: Message, _: int) -> Message:
        played.append(messages)
        limit = messages.kind == Kind.LIMIT
        return where(messages, limit & (limit.cumsum(axis=1) > 2), size=1)

    broken(change)
    test, _ = run(capsys, 1, books=4, messages=150, seed=2, engines="broken", capacity=(CAPACITY,))
    with pytest.raises(AssertionError):
        play(test)
    rows = np.stack(played[-1], axis=-1)[0].astype(np.int64)
    probe = Probe("broken", CAPACITY, trace_streams)
    assert rows.shape == (3, 6) and probe.differs([rows]).all()
    assert not probe.differs([np.delete(rows, k, axis=0) for k in range(len(rows))]).any()
    for place in zip(*np.nonzero(rows), strict=True):
        lower = rows.copy()
        lower[place] -= np.sign(lower[place])
        assert not probe.differs([lower]).any()


def test_an_engine_that_fails_only_on_batches_is_printed_with_its_batch(capsys):
    broken(lambda messages, _: where(messages, np.arange(len(messages.kind))[:, None] == 40, kind=0))
    test, _ = run(capsys, 1, books=50, messages=20, engines="broken", capacity=(CAPACITY,))
    assert "draw(" in test
    with pytest.raises(AssertionError):
        play(test)


def test_one_broken_engine_does_not_hide_the_others(capsys):
    broken(big_sizes_wrap)
    _, record = run(capsys, 1, books=20, messages=60, engines="xla,broken", capacity=(CAPACITY, 11))
    assert record["engines"] == ["xla", "broken"]
    assert record["compared_messages"] == 3 * 20 * 60  # broken is not asked again


@pytest.mark.parametrize("ends", [False, True], ids=["every message", "ends"])
def test_engines_that_agree_pass(capsys, ends):
    shown, record = run(capsys, 0, books=30, messages=150, engines="xla,host", capacity=(CAPACITY,), ends=ends)
    assert shown == ""
    assert record | {"seconds": 0} == {
        "engines": ["xla", "host"],
        "books": 30,
        "messages": 150,
        "capacities": [CAPACITY],
        "seed": 0,
        "compared": "ends" if ends else "every message",
        "compared_messages": 2 * 30 * 150,
        "differences": 0,
        "seconds": 0,
    }


def test_all_takes_what_is_registered_and_can_run(capsys):
    for name in [name for name in ENGINES if name not in ("host", "reference")]:
        del ENGINES._entries[name]
    odd = "the capacity is odd; take 10"
    broken(lambda messages, _: messages, refusal=lambda capacity: odd if capacity == 9 else None)
    conformance(books=3, messages=10, capacity=(9, 10))
    out, err = capsys.readouterr()
    record = json.loads(out.splitlines()[-1])
    assert record["engines"] == ["host", "broken"] and record["compared_messages"] == 3 * 3 * 10
    assert f"capacity 9: broken is left out, as {odd}" in err


def test_nothing_compared_is_no_success():
    for name in [name for name in ENGINES if name != "reference"]:
        del ENGINES._entries[name]
    broken(big_sizes_wrap, refusal=lambda _: "it is away")
    with pytest.raises(InputError, match="no engine but the reference can run here"):
        conformance(books=3, messages=10, capacity=(9,))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"books": 0}, "--books: 0 is out of range"),
        ({"messages": 0}, "--messages: 0 is out of range"),
        ({"seed": -1}, "--seed: -1 is out of range"),
        ({"capacity": (8, 513)}, "--capacity[1]: 513 is out of range"),
        ({"capacity": ()}, "--capacity: 0 values; give 1 to 64"),
        (
            {"messages": 10_000, "capacity": (512,)},
            "a stream may have 8,192 at capacity 512; take more books, or --ends",
        ),
        ({"messages": 10_000_000, "ends": True}, "take more books"),
        ({"engines": "hots"}, "did you mean 'host'?"),
        ({"engines": "reference"}, "'reference' is none to compare with the reference"),
        ({"engines": "absent"}, "absent cannot run at capacity 8, as it is away"),
    ],
)
def test_a_bad_argument_is_one_line(options, words):
    if options.get("engines") == "absent":
        named("absent", run_streams, trace_streams, lambda _: "it is away")
    with pytest.raises(InputError) as refused:
        conformance(**{"books": 2, "messages": 10, "capacity": (CAPACITY,), **options})
    assert words in str(refused.value) and "\n" not in str(refused.value)


def test_the_command_line_ends_with_status_2():
    from tests.book.test_run_stream import bench

    done = bench("conformance", "--books", 0)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.count("\n") == 1


def test_every_array_of_a_result_is_compared():
    fields = StreamResult(*np.zeros((4, 3, 2, 2, 4), np.int32)[:2], *np.zeros((7, 3, 2), np.int32))
    right = fields._replace(fills=np.array([[0, 0, 1, 0, 5, 2], [2, 1, 4, 0, 5, 3]], np.int32))
    for name in StreamResult._fields:
        array = getattr(right, name).copy()
        array[1, ..., -1] += 1
        wrong = right._replace(**{name: array})
        assert differing_books(right, wrong).tolist() == (
            [False, False, True] if name == "fills" else [False, True, False]
        )
    assert differing_books(right, right._replace(fills=right.fills[:1])).tolist() == [False, False, True]
    assert differing_books(right, right._replace(traded=right.traded.astype(np.int64))).all()
    assert differing_books(right, right._replace(fills=right.fills[::-1])).all()
    assert not differing_books(right, right).any()
