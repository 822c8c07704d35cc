"""Day files: what is read, how it is sampled, and what is refused; windows take no memory."""

import tracemalloc

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.data import Replay, build_day
from lobjax.errors import InputError
from lobjax.snapshot import Snapshots, load_snapshots, sampled, window, windows, write_npz
from tests.data.synthetic_lobster import make_rows, write_pair
from tests.snapshot.days import FROM_S, day


def test_a_file_comes_back_as_it_was_written(tmp_path):
    write_npz(tmp_path / "day.npz", day())
    back = load_snapshots(tmp_path / "day.npz", every_s=1.0)
    for ours, theirs in zip(back, day(), strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    every = load_snapshots(tmp_path / "day.npz", from_s=FROM_S + 10, until_s=FROM_S + 30, every_s=5.0, levels=2)
    np.testing.assert_array_equal(every.asks, day().asks[10:31:5, :2])
    np.testing.assert_array_equal(every.time_ns, day().time_ns[10:31:5])


def test_a_moment_between_two_snapshots_has_the_one_before(tmp_path):
    write_npz(tmp_path / "day.npz", day())
    back = load_snapshots(tmp_path / "day.npz", from_s=FROM_S + 0.5, until_s=FROM_S + 3, every_s=1.0)
    np.testing.assert_array_equal(back.bids, day().bids[:3])


def test_without_times_snapshots_are_a_second_apart(tmp_path):
    np.savez(tmp_path / "day.npz", bids=day().bids, asks=day().asks)
    np.testing.assert_array_equal(load_snapshots(tmp_path / "day.npz", every_s=1.0).time_ns, np.arange(400) * 10**9)


def test_a_recorded_day_is_sampled_as_its_replay_shows_it(tmp_path):
    path = write_pair(tmp_path, *make_rows(4, 600, seed=2))
    recorded = build_day(path)
    levels = Replay(recorded).levels(600, 4)
    rows = np.array([0, 0, 3, 3, 17, 400, 599])
    bids, asks = sampled(recorded, rows, 4)
    np.testing.assert_array_equal(bids, levels[rows, 0])
    np.testing.assert_array_equal(asks, levels[rows, 1])
    back = load_snapshots(path, every_s=2.0)
    time = recorded.row_time_s + recorded.row_time_ns * 1e-9
    at = np.searchsorted(time, back.time_ns * 1e-9 + 1e-7, side="right") - 1
    np.testing.assert_array_equal(back.bids, levels[at, 0])
    assert len(back.bids) > 20 and (np.diff(back.time_ns) == 2 * 10**9).all()


def spoilt(name, value, at):
    snapshots = day(20)
    getattr(snapshots, name)[at] = value
    return snapshots


@pytest.mark.parametrize(
    ("name", "value", "at", "words"),
    [
        ("bids", 30_000, (7, 0, 0), "snapshot 7 .* is crossed"),
        ("asks", 1, (3, 2, 0), "snapshot 3 .* not sorted at level 3 of the asks"),
        ("bids", 29_999, (4, 1, 0), "snapshot 4 .* not sorted at level 2 of the bids"),
        ("bids", -1, (2, 1, 1), "snapshot 2 .* size below 0"),
        ("asks", 1 << 25, (2, 1, 1), "snapshot 2 .* above 16,777,216 lots"),
        ("bids", 0, (2, 0, 0), "snapshot 2 .* price that is not positive"),
        ("bids", 0, (5, 0, 1), "snapshot 5 .* behind an empty one at level 2 of the bids"),
    ],
)
def test_what_is_no_book_is_refused(tmp_path, name, value, at, words):
    write_npz(tmp_path / "day.npz", spoilt(name, value, at))
    with pytest.raises(InputError, match=words):
        load_snapshots(tmp_path / "day.npz", every_s=1.0)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"bids": day(9).bids}, "no array 'asks'"),
        ({"bids": day(9).bids.astype(np.int64), "asks": day(9).asks}, r"bids is int64 \[9, 3, 2\]; give int32"),
        ({"bids": day(9).bids, "asks": day(9).asks[:, :, 0]}, r"asks is int32 \[9, 3\]"),
        ({"bids": day(9).bids, "asks": day(9).asks[:8]}, "give one shape"),
        ({"bids": day(9).bids[:0], "asks": day(9).asks[:0]}, "a snapshot at least"),
        ({"bids": day(9).bids, "asks": day(9).asks, "time_s": np.arange(8)}, "give 9 numbers"),
        ({"bids": day(9).bids, "asks": day(9).asks, "time_s": -np.arange(9)}, "must rise"),
        (
            {"bids": np.zeros((9, 0, 2), np.int32), "asks": np.zeros((9, 0, 2), np.int32)},
            "0 levels a side; give 1 to 100",
        ),
        ({"bids": np.zeros((9, 3, 2), np.int32), "asks": np.zeros((9, 3, 2), np.int32)}, "neither bids nor asks"),
    ],
)
def test_what_is_no_day_file_is_refused(tmp_path, arrays, words):
    np.savez(tmp_path / "day.npz", **arrays)
    with pytest.raises(InputError, match=words):
        load_snapshots(tmp_path / "day.npz", every_s=1.0)


def test_a_missing_a_damaged_and_a_short_file_are_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        load_snapshots(tmp_path / "none.npz", every_s=1.0)
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(InputError, match="not a whole"):
        load_snapshots(tmp_path / "torn.npz", every_s=1.0)
    write_npz(tmp_path / "day.npz", day())
    with pytest.raises(InputError, match=r"no snapshot between 0 s and 9 s .* spans 34200 s to 34599 s"):
        load_snapshots(tmp_path / "day.npz", until_s=9, every_s=1.0)
    with pytest.raises(InputError, match="has 3 levels, 4 were asked for"):
        load_snapshots(tmp_path / "day.npz", every_s=1.0, levels=4)
    with pytest.raises(ValueError, match="window of 401"):
        windows(day(), 401)


def test_defect_windows_materialised(tmp_path):
    """All windows of a day are views on the host, and gathers on the device that no program keeps: memory is that of the day."""
    length = 64
    snapshots = Snapshots(*(np.tile(side, (50, 1, 1)) for side in day()[:2]), np.arange(20_000) * 10**9)
    size = sum(array.nbytes for array in snapshots)
    tracemalloc.start()
    views = windows(snapshots, length)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert views.bids.shape == (20_000 - length + 1, length, 3, 2) and views.bids.nbytes > 60 * snapshots.bids.nbytes
    assert peak < size / 100 and np.shares_memory(views.asks, snapshots.asks)
    np.testing.assert_array_equal(views.asks[123], snapshots.asks[123 : 123 + length])

    def means(side: jax.Array) -> jax.Array:
        """Of every window, one after another, as an episode meets them."""
        return jax.lax.map(
            lambda row: window(side, row, length)[..., 0].astype(jnp.float32).mean(), jnp.arange(20_000 - length + 1)
        )

    compiled = jax.jit(means).lower(snapshots.bids).compile()
    memory = compiled.memory_analysis()
    assert memory.temp_size_in_bytes + memory.output_size_in_bytes < snapshots.bids.nbytes
    np.testing.assert_allclose(compiled(snapshots.bids)[77], views.bids[77, ..., 0].mean(), rtol=1e-6)
