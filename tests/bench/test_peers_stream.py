"""The stream of the benchmarks: its mix, that nothing overflows or is unknown, and that it depends on the seed alone."""

import numpy as np
import pytest

from bench.peers_stream import facts, peers_stream
from lobjax.engine import run_streams
from lobjax.kinds import Kind
from lobjax.types import Side

BOOKS, LENGTH = 300, 200


@pytest.fixture(scope="module")
def stream():
    return peers_stream(7, BOOKS, LENGTH)


def test_it_is_int32_and_holds_seven_adds_two_cancels_and_one_sweep_in_ten(stream):
    assert all(field.shape == (BOOKS, LENGTH) and field.dtype == np.int32 for field in stream)
    result = run_streams(stream, engine="reference", capacity=64)
    cancels, sweeps = stream.kind == Kind.CANCEL, result.traded > 0
    assert (cancels.reshape(BOOKS, -1, 10).sum(2) <= 2).all() and (sweeps.reshape(BOOKS, -1, 10).sum(2) <= 1).all()
    # Now and then a book is empty and an add comes instead.
    assert cancels.sum() > 0.199 * BOOKS * LENGTH and sweeps.sum() > 0.099 * BOOKS * LENGTH
    assert (stream.kind[~cancels] == Kind.LIMIT).all() and (stream.owner == 0).all()
    # A sweep trades in full; an add trades nothing.
    assert (result.traded[sweeps] == stream.size[sweeps]).all()


def test_the_reference_finds_two_fills_a_sweep_and_nothing_lost(stream):
    said = facts(stream, 64)
    assert (said.unknown, said.invalid, said.refused, said.displaced) == (0, 0, 0, 0)
    assert said.fills_per_sweep == pytest.approx(2, abs=0.05)
    assert said.most_orders <= 60 and said.sweeps == pytest.approx(BOOKS * LENGTH / 10, rel=0.01)
    assert facts(stream, 16).displaced + facts(stream, 16).refused > 0


def test_adds_rest_within_about_ten_ticks_of_the_touch(stream):
    result = run_streams(stream, engine="reference", capacity=64)
    best = [result.bids[:, 0, 0], result.asks[:, 0, 0]]
    last = stream.kind[:, -1] == Kind.LIMIT
    rests = last & (result.traded[:, -1] == 0)
    for side in Side:
        behind = np.abs(stream.price[:, -1] - best[side])[rests & (stream.side[:, -1] == side)]
        assert len(behind) > 50 and behind.max() <= 11 and behind.max() > 5


def test_a_stream_depends_on_its_seed_and_not_on_how_many_there_are(stream):
    fewer, other = peers_stream(7, 3, LENGTH), peers_stream(8, 3, LENGTH)
    assert all(np.array_equal(mine, all_of_it[:3]) for mine, all_of_it in zip(fewer, stream, strict=True))
    assert not np.array_equal(fewer.price, other.price)
    assert len({row.tobytes() for row in stream.price}) == BOOKS


@pytest.mark.parametrize("length", (1, 9, 10, 25))
def test_short_streams_are_sound_too(length: int):
    said = facts(peers_stream(0, 200, length), 64)
    assert (said.unknown, said.invalid, said.refused, said.displaced) == (0, 0, 0, 0)
