"""`python -m bench engine`: messages a second by engine, books, capacity, messages a call and stream; one record each."""

from pathlib import Path
from typing import Annotated

from bench import recording
from lobjax.errors import InputError, nearest
from lobjax.ranges import Range, Seed, ranged
from lobjax.types import MAX_CAPACITY

STREAMS = ("peers", "conformance")


@ranged
def engine(
    *,
    engines: str = "auto",
    books: str = "1,64,1024",
    capacity: str = "128",
    messages: str = "200",
    stream: str = "peers",
    seed: Seed = 0,
    runs: Annotated[int, Range(1, 1000)] = 5,
    devices: Annotated[int, Range(1, 4096)] = 1,
    peer: str | None = None,
    kernel_record: Path | None = None,
    out: Path | None = None,
) -> None:
    """Measure how many messages a second engines take. Options that take a list measure every combination; one JSON line each.

    Messages and empty books are on the device before the clock starts; it stops when books, lots traded and counters are there. No
    fills are written out. What an engine gave is compared with the reference; one that differs ends the command with status 1.

    Args:
        engines: Names separated by commas: host, xla, kernel, reference (one thread, its log of fills written out), or auto.
        books: Books that a call runs, each through a stream of its own.
        capacity: Orders that a side of a book can hold.
        messages: Messages of one call, per book.
        stream: peers (70% passive adds, 20% cancels, 10% sweeps of two orders; no overflow) or conformance (every kind, many bad).
        seed: Of the streams.
        runs: Of which the record has the median, the least and the most; 5 or more. A run repeats a short call.
        devices: JAX devices that the books of a call are spread over. XLA_FLAGS=--xla_force_host_platform_device_count=2 makes two of a
            CPU: the engine xla keeps one core of a device busy, host keeps all. The reference and peers have one.
        peer: Another engine on the same messages: jaxmarl_hft, or jaxmarl_hft=FOLDER with the folder of its repository.
        kernel_record: JSON lines of `bench kernel-compile`, for the floor of the kernel in instructions.
        out: A file of JSON lines that records are added to.
    """
    recording.check_out(out)
    recording.check_runs(runs)
    if stream not in STREAMS:
        raise InputError(f"--stream {stream}: unknown; {nearest(stream, STREAMS)}")
    capacities = recording.numbers("--capacity", capacity, 1, MAX_CAPACITY)
    lengths, counts = recording.numbers("--messages", messages, 1, 10**7), recording.numbers("--books", books, 1, 10**8)
    from bench.speed import engine as work
    from bench.speed import peers, programs
    from bench.speed.measuring import REFERENCE, Call, measured

    programs.check_devices(devices)
    if uneven := [count for count in counts if count % devices]:
        raise InputError(
            f"--books {uneven[0]}: cannot be spread evenly over {devices} devices; take a multiple of {devices}"
        )
    names = {n: work.engines_named(engines, n) for n in capacities}
    adapters = {n: peers.load(peer, n) for n in capacities} if peer else {}
    if any(REFERENCE in chosen for chosen in names.values()):
        programs.reference_compiled()  # before the stream is drawn and checked with it
    for length in lengths:
        for count in counts:
            work.check_memory(count, length, max(capacities))
            drawn = work.drawn_streams(stream, seed, count, length)
            for n in capacities:
                about = {"capacity": n, "books": count, "messages_per_call": length, "stream": stream, "seed": seed}
                call = Call(drawn, n, runs, about | work.said_of(stream, drawn, n), devices)
                for record in measured(call, names[n], adapters.get(n), kernel_record):
                    work.say(record)
                    recording.append(out, record)
