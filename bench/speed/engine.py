"""`python -m bench engine`: messages a second by engine, books, capacity, messages a call and stream; one record each."""

import sys
from typing import Any

import numpy as np

from bench.peers_stream import facts, peers_stream
from lobjax.engine import choose
from lobjax.engine.random_streams import random_streams
from lobjax.errors import InputError
from lobjax.memory import machine_bytes, must_fit
from lobjax.types import Message


def engines_named(engines: str, capacity: int) -> list[str]:
    asked = dict.fromkeys(name.strip() for name in engines.split(","))
    return [*dict.fromkeys(choose(name, capacity).engine for name in asked)]


def check_memory(books: int, length: int, capacity: int) -> None:
    """InputError where streams, on the host and on the device, and their books need more memory than the machine has."""
    needed = 3 * books * (24 * length + 2 * 16 * capacity)  # drawn and copied; before, after and inside of a call
    what = f"a call of {books:,} books and {length:,} messages each"
    must_fit(needed, what, change="lower --books or --messages", free=machine_bytes())


def drawn_streams(stream: str, seed: int, books: int, length: int) -> Message:
    drawn = peers_stream(seed, books, length) if stream == "peers" else random_streams(seed, books, length)
    return Message(*map(np.ascontiguousarray, drawn))


def said_of(stream: str, messages: Message, capacity: int) -> dict[str, Any]:
    """What the reference says of the stream. InputError where books of the stream `peers` overflow: it is defined without that."""
    if stream != "peers":
        return {}
    said = facts(messages, capacity)
    if said.displaced or said.refused:
        raise InputError(
            f"--messages {messages.kind.shape[1]}: books of the stream peers grow by three orders in ten messages and overflow a "
            f"capacity of {capacity}; take fewer messages or more capacity"
        )
    return {
        "fills_per_sweep": round(said.fills_per_sweep, 3),
        "most_orders_a_side": said.most_orders,
        "unknown": said.unknown,
        "invalid": said.invalid,
        "refused": said.refused,
        "displaced": said.displaced,
    }


def say(record: dict[str, Any]) -> None:
    print(
        f"{record['engine']}: {record['books']:,} books of capacity {record['capacity']}, {record['messages_per_call']} messages each: "
        f"{record['messages_per_s']:,} messages/s ({record['messages_per_s_min']:,} to {record['messages_per_s_max']:,}), "
        f"compiled in {record['compile_s']} s",
        file=sys.stderr,
    )
