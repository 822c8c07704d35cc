"""One measurement of `bench engine`: an engine, the reference or a peer on the same messages, and the record of it."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from bench import recording, timing
from bench.speed import peers, programs
from bench.speed.floor import floor, instructions
from lobjax.engine import memory
from lobjax.memory import exhaustion_as_input_error, must_fit
from lobjax.reference import batch
from lobjax.types import Message

REFERENCE = "reference"
_MESSAGE_BYTES, _TRADED_BYTES, _COUNTER_BYTES = 24, 4, 20


class Call(NamedTuple):
    """The streams of one measurement, and what a record says of them."""

    messages: Message  # NumPy int32 [B, M]
    capacity: int
    runs: int
    about: dict[str, Any]
    devices: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """Books and messages of each."""
        return self.messages.kind.shape

    @property
    def total(self) -> int:
        """Messages of a call, over all books."""
        return self.messages.kind.size


def measured(
    call: Call, names: Sequence[str], adapter: peers.Peer | None, kernel_record: Path | None
) -> Iterator[dict[str, Any]]:
    """Records of engines by name, then of the peer. InputError where the device has too little memory."""
    for name in names:
        if name == REFERENCE:
            yield _reference(call)
        else:
            what = f"{name}: a call of {call.shape[0]:,} books of capacity {call.capacity}"
            with exhaustion_as_input_error(what, change=memory.CHANGE):
                yield _engine(name, what, call, kernel_record)
    if adapter is not None:
        what = f"{adapter.name}: a call of {call.shape[0]:,} books"
        with exhaustion_as_input_error(what, change=memory.CHANGE):
            yield _peer(adapter, call)


def _engine(name: str, what: str, call: Call, kernel_record: Path | None) -> dict[str, Any]:
    program = programs.PROGRAMS[name](call.capacity)
    peak, (books, length) = timing.device_peak(), call.shape
    run, place = programs.spread(jax.vmap(program.run), call.devices)
    fresh, held = programs.fresh(program, books), place(jax.tree.map(jnp.asarray, call.messages))
    made = timing.compiled(
        run, *programs.shapes(program, books, length, place), donate=(0,) if program.in_place else ()
    )
    must_fit(made.bytes_needed, what, change=memory.CHANGE)
    done = timing.timed(made.call, lambda: (place(fresh()), held), call.runs)
    if wrong := programs.differing(done.result, call.messages, call.capacity):
        raise SystemExit(
            f"error: {what} differs from the reference in {wrong} books; run `python -m bench conformance`"
        )
    each = programs.state_bytes(program)
    moved = _MESSAGE_BYTES + _TRADED_BYTES + (2 * each + _COUNTER_BYTES) / length
    counted, where = (
        instructions(kernel_record, "book", call.capacity, call.about["stream"]) if name == "kernel" else (None, "")
    )
    return {
        "bench": "engine",
        "engine": name,
        "devices": call.devices,
        **programs.interpreted(name),
        **call.about,
        **(rate := recording.rates("messages_per_s", [call.total / s for s in done.seconds])),
        "calls_per_run": done.calls,
        **made.record(),
        "bytes_per_book": each,
        **timing.memory_record(made.bytes_needed, peak),
        "floor": floor(moved, rate["messages_per_s"], instructions_each=counted, also=where),
        "compared": "books, lots traded and counters equal the reference's",
    }


def _reference(call: Call) -> dict[str, Any]:
    peak = timing.device_peak()
    first, numba = programs.reference_compiled()
    seconds = programs.reference_seconds(call.messages, call.capacity, call.runs)
    each, (books, length) = 4 * 2 * call.capacity * 4 + 8, call.shape
    written = 24 * call.total + books * (2 * call.capacity * 16 + _COUNTER_BYTES)  # fills at most, listings, counters
    return {
        "bench": "engine",
        "engine": REFERENCE,
        **call.about,
        **(rate := recording.rates("messages_per_s", [call.total / s for s in seconds])),
        "calls_per_run": 1,
        "compile_s": round(first, 3),
        "compiled_numba": numba,
        "bytes_per_book": each,
        **timing.memory_record(each + call.total * (_MESSAGE_BYTES + _TRADED_BYTES) + written, peak),
        "floor": floor(_MESSAGE_BYTES + _TRADED_BYTES + 2 * call.capacity * 16 / length, rate["messages_per_s"]),
        "compared": "it is the reference",
    }


def _peer(adapter: peers.Peer, call: Call) -> dict[str, Any]:
    peak, books = timing.device_peak(), call.shape[0]
    theirs = jax.tree.map(jnp.asarray, adapter.convert(call.messages))
    fresh = jax.jit(
        lambda: jax.tree.map(lambda x: jnp.broadcast_to(x, (books, *x.shape)), adapter.empty(call.capacity))
    )
    made = timing.compiled(jax.vmap(adapter.run), fresh(), theirs)
    done = timing.timed(made.call, lambda: (fresh(), theirs), call.runs)
    bids, asks, *_ = batch.run(call.messages, call.capacity)
    shares = peers.agreement(adapter.ends(done.result), peers.ends_of(bids, asks))
    book = jax.eval_shape(partial(adapter.empty, call.capacity))
    each = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(book))
    per_message = sum(leaf.nbytes for leaf in jax.tree.leaves(theirs)) / call.total
    return {
        "bench": "engine",
        "engine": adapter.name,
        "peer": True,
        **call.about,
        **(rate := recording.rates("messages_per_s", [call.total / s for s in done.seconds])),
        "calls_per_run": done.calls,
        **made.record(),
        "bytes_per_book": each,
        **timing.memory_record(made.bytes_needed, peak),
        "floor": floor(per_message + 2 * each / call.shape[1], rate["messages_per_s"]),
        "compared": "share of books that end as the reference's",
        "agreement": shares,
    }
