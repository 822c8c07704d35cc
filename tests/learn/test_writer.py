"""Checkpoints written beside training: whole, one at a time, errors told; and which of them stay."""

import json
import threading
import time

import jax.numpy as jnp
import numpy as np
import pytest

from lobjax.errors import InputError
from lobjax.learn import checkpoint, keeping
from lobjax.learn.config import BestConfig
from lobjax.learn.writer import Writer
from lobjax.results import surroundings
from tests.learn.runs import configuration
from tests.learn.test_checkpoint import state

RETURN = BestConfig()


def writer(folder, **settings):
    return Writer(folder, configuration("constant", **settings), {}, "selling", surroundings.settings())


def line(update, value, count=1):
    return {"update": update, "episode/count": count, "episode/return": value}


def names(folder):
    return sorted(p.name for p in folder.iterdir() if p.name != "best.json")


def test_training_goes_on_while_one_is_written_and_waits_for_it_at_the_next(tmp_path, monkeypatch):
    free, busy, most = threading.Event(), [0], [0]
    save = checkpoint.save

    def slow(*arguments, **named):
        busy[0] += 1
        most[0] = max(busy[0], most[0])
        assert free.wait(20)
        save(*arguments, **named)
        busy[0] -= 1

    monkeypatch.setattr(checkpoint, "save", slow)
    with writer(tmp_path) as saving:
        saving.save(state(1))
        assert names(tmp_path) == []  # it came back before anything was written
        threading.Timer(0.2, free.set).start()
        begun = time.perf_counter()
        saving.save(state(2))
        assert time.perf_counter() - begun > 0.1, "the second waited for the first"
    assert [c.update for c in checkpoint.complete(tmp_path)] == [1, 2] and most == [1]


def test_what_is_written_is_the_state_of_then(tmp_path, monkeypatch):
    """The arrays are copies: on a CPU the next update writes into the memory of the state that it takes over."""
    ready, save = threading.Event(), checkpoint.save

    def later(*arguments, **named):
        assert ready.wait(20)
        return save(*arguments, **named)

    monkeypatch.setattr(checkpoint, "save", later)
    moving = {"shared.update": np.int32(4), "shared.weights": np.arange(3.0)}
    with writer(tmp_path) as saving:
        saving.save(moving)
        moving["shared.weights"] += 100
        ready.set()
    (found,) = checkpoint.complete(tmp_path)
    np.testing.assert_array_equal(checkpoint.arrays_of(found)["shared.weights"], [0, 1, 2])


@pytest.mark.parametrize("again", [True, False])
def test_an_error_of_a_write_is_raised_by_the_next_or_at_the_end(tmp_path, monkeypatch, again):
    def full(*_, **__):
        raise OSError(28, "No space left")

    monkeypatch.setattr(checkpoint, "save", full)
    with pytest.raises(OSError, match="No space left"), writer(tmp_path) as saving:
        saving.save(state(1))
        if again:
            saving.save(state(2))
            raise AssertionError("not told")


def test_the_best_and_the_newest_stay(tmp_path):
    values = {1: 0.1, 2: 0.9, 3: 0.2, 4: 0.9, 5: 0.3}
    with writer(tmp_path, keep=2, keep_best=RETURN) as saving:
        for update, value in values.items():
            saving.know(line(update, value))
            saving.save(state(update))
    assert names(tmp_path) == ["00000002", "00000004", "00000005"]
    best = json.loads((tmp_path / "best.json").read_text())
    assert best == {"checkpoint": "00000002", "metric": "episode/return", "value": 0.9, "better": "larger"}


def test_smaller_can_be_better_and_all_stay_where_nothing_is_said(tmp_path):
    with writer(tmp_path, keep_best=BestConfig(better="smaller")) as saving:
        for update, value in {1: 0.5, 2: float("nan"), 3: 0.1, 4: 0.0}.items():
            saving.know(line(update, value, count=update != 4))
            saving.save(state(update))
    assert len(names(tmp_path)) == 4, "all are kept"
    assert json.loads((tmp_path / "best.json").read_text())["checkpoint"] == "00000003", (
        "no number, no episode: not the best"
    )


def test_going_back_finds_the_best_of_what_is_left(tmp_path):
    with writer(tmp_path, keep_best=RETURN) as saving:
        for update, value in {1: 0.5, 2: 0.4, 3: 0.9}.items():
            saving.know(line(update, value))
            saving.save(state(update))
    (tmp_path / ".00000004-abc").mkdir()  # killed while it was written
    checkpoint.cut_back(tmp_path, 2)
    assert names(tmp_path) == ["00000001", "00000002"]
    keeping.settle(tmp_path, {1: 0.5, 2: 0.4}, RETURN, None)
    assert json.loads((tmp_path / "best.json").read_text())["checkpoint"] == "00000001"
    keeping.settle(tmp_path, {}, RETURN, None)
    assert not (tmp_path / "best.json").exists()


def test_a_checkpoint_of_another_run_is_refused(tmp_path):
    ours = {"seed": 0, "net": {"kind": "mlp", "hidden": [8]}}
    saved = checkpoint.save(tmp_path, state(), task="selling", config={**ours, "seed": 1})
    with pytest.raises(InputError, match="of another run \\(its seed is 1, here 0\\)"):
        checkpoint.check_run(saved, ours)
    checkpoint.check_run(saved, {**ours, "seed": 1})
    with pytest.raises(InputError, match=r"its net\.hidden is \[8\], here \[9\]"):
        checkpoint.check_run(saved, {"seed": 1, "net": {"kind": "mlp", "hidden": [9]}})


def test_a_state_of_jax_arrays_is_taken_whole(tmp_path):
    with writer(tmp_path) as saving:
        saving.save(state(7))
    (found,) = checkpoint.complete(tmp_path)
    assert found.digest == checkpoint.digest(state(7))
    assert jnp.issubdtype(checkpoint.restore(found, state(7), "selling").shared.key.dtype, jnp.dtype("int32")) is False
