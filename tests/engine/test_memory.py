"""A batch that does not fit on the device is one line that says what to change, known before or told by XLA."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

import lobjax.memory as machine
from lobjax.engine import ENGINES, StreamEngine, memory, run_streams
from lobjax.engine.kernel import call
from lobjax.engine.random_streams import random_streams
from lobjax.errors import InputError

ROOM = 1 << 20


def test_what_does_not_fit_is_said_before_it_runs(monkeypatch):
    monkeypatch.setattr(machine, "free_bytes", lambda: ROOM)
    engine = replace(ENGINES["kernel"](), run=lambda *_: pytest.fail("it ran"))
    monkeypatch.setitem(ENGINES._entries, "kernel", lambda: engine)
    messages = random_streams(0, 600, 10)
    with pytest.raises(InputError) as refused:
        run_streams(messages, engine="kernel", capacity=64)
    said = str(refused.value)
    assert "\n" not in said and "600 books of capacity 64 needs about" in said and "1 MiB are free" in said
    assert "run fewer books at a time or give them a smaller capacity" in said


def test_what_fits_runs(monkeypatch):
    monkeypatch.setattr(machine, "free_bytes", lambda: ROOM)
    result = run_streams(random_streams(0, 2, 10), engine="kernel", capacity=8)
    assert result.bids.shape == (2, 8, 4)


def test_a_device_that_does_not_tell_is_no_obstacle(monkeypatch):
    class Device:
        platform = "gpu"

        def memory_stats(self):
            return None

    monkeypatch.setattr("jax.local_devices", lambda: [Device()])
    assert machine.free_bytes() is None
    machine.must_fit(1 << 60, "all", change="buy more")


def test_the_limit_is_what_is_free_of_the_device(monkeypatch):
    class Device:
        def memory_stats(self):
            return {"bytes_limit": 3 * ROOM, "bytes_in_use": ROOM}

    monkeypatch.setattr("jax.local_devices", lambda: [Device()])
    assert machine.free_bytes() == 2 * ROOM
    machine.must_fit(2 * ROOM, "half", change="buy more")
    with pytest.raises(InputError, match="all needs about 3 MiB of memory and 2 MiB are free; buy more"):
        machine.must_fit(3 * ROOM, "all", change="buy more")


def test_what_xla_says_becomes_one_line():
    one_line = pytest.raises(InputError, match="a lot does not fit in the device's memory; take less")
    with one_line, machine.exhaustion_as_input_error("a lot", change="take less"):
        jnp.zeros((1 << 20, 1 << 20, 1 << 6), jnp.int32).block_until_ready()
    with pytest.raises(ZeroDivisionError), machine.exhaustion_as_input_error("a lot", change=""):
        _ = 1 // 0


def test_an_engine_that_runs_out_of_memory_is_one_line(monkeypatch):
    def run(messages, capacity):
        return jnp.zeros((1 << 20, 1 << 20, 1 << 6), jnp.int32).block_until_ready()

    engine = StreamEngine(run=run, trace=run, refusal=lambda capacity: None, suits=lambda: None)
    monkeypatch.setitem(ENGINES._entries, "huge", lambda: engine)
    with pytest.raises(InputError, match="engine huge: a call of 2 books of capacity 8 does not fit"):
        run_streams(random_streams(0, 2, 10), engine="huge", capacity=8)


def test_the_estimate_covers_what_the_kernel_holds():
    messages, capacity = random_streams(0, 100, 50), 64
    program = call._run_books.lower(messages, capacity).compile()
    held = program.memory_analysis()
    known = held.argument_size_in_bytes + held.output_size_in_bytes
    assert known < memory.stream_bytes(100, 50, capacity) < 3 * known
    # Books are taken in parts: ever more of them take no more memory.
    assert memory.stream_bytes(10**9, 1 << 20, 64) == memory.stream_bytes(4, 1 << 20, 64)


def test_bytes_in_words():
    assert [machine.in_words(count) for count in (0, 1000, 1536, 150 << 20, 5 * 2**40 * 1024)] == [
        "0 B", "1,000 B", "1.5 KiB", "150 MiB", "5,120 TiB",
    ]  # fmt: skip
    assert np.isfinite(memory.stream_bytes(1, 1, 1))
