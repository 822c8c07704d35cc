"""Every reader of data and agents, each with a small file that it reads."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import polars as pl

from lobjax.config import load_yaml
from lobjax.data import build_day
from lobjax.engine.stream import read_streams
from lobjax.env.spaces import MultiDiscrete
from lobjax.nets import MLPConfig, make_net
from lobjax.nets.statistics import Statistics
from lobjax.policy import FILE, PolicyConfig, load_policy, make_head, save_policy
from lobjax.reading import read_json, read_npz, read_table
from lobjax.snapshot import load_snapshots, write_npz
from lobjax.types import Message
from tests.data.synthetic_lobster import make_rows, write_pair
from tests.data.synthetic_mbo import BUY, SELL, record, write_file
from tests.snapshot.days import day

ROWS = make_rows(levels=2, rows=40, seed=4, depth=6)
ORDERS = [
    *(record("A", BUY, 100 + at, 3, at + 1, at_ns=at) for at in range(8)),
    *(record("A", SELL, 110 + at, 3, at + 9, at_ns=at) for at in range(8)),
    record("T", BUY, 110, 2, 0, flags=0, at_ns=20),
    record("F", SELL, 110, 2, 9, flags=0, at_ns=20),
    record("C", SELL, 110, 2, 9, at_ns=20),
    record("M", BUY, 101, 2, 3, at_ns=30),
    record("C", BUY, 100, 3, 1, at_ns=31),
    record("R", at_ns=40),
    record("A", BUY, 99, 1, 77, at_ns=50),
]


class Reader(NamedTuple):
    """How the file is called, how it is written under that name, and what reads it."""

    name: str
    write: Callable[[Path], Any]
    read: Callable[[Path], Any]


def streams() -> dict[str, np.ndarray]:
    """Arrays of two books of three messages."""
    rows = np.arange(6, dtype=np.int32).reshape(2, 3)
    return dict(
        zip(Message._fields, (0 * rows + 1, rows % 2, rows + 10, 0 * rows + 5, rows + 1, 0 * rows), strict=True)
    )


def agent(folder: Path) -> None:
    """A small agent, saved."""
    space, net = MultiDiscrete((3, 2)), MLPConfig(hidden=(8,))
    head = make_head(space, None)
    params = {"net": make_net(net, 4, head).init(jax.random.key(0)), "head": head.init()}
    statistics = Statistics(np.float32(9), np.zeros(4, np.float32), np.ones(4, np.float32))  # type: ignore[arg-type]
    about = PolicyConfig(task="t", actions="a", observation_size=4, space=space, net=net)
    save_policy(folder, params, statistics, about)


def _lobster(ending: str, book: bool = True) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        written = write_pair(path.parent, ROWS[0], ROWS[1] if book else None, ending)
        written.rename(path)

    return write


MESSAGE = "SYN_2020-02-03_34200000_57600000_message_2.csv"
TABLE = pl.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": ["x", "y", "x"]})
READERS = [
    Reader("arrays.npz", lambda path: np.savez(path, a=np.arange(9.0), b=np.array("text")), read_npz),
    Reader("snapshots.npz", lambda path: write_npz(path, day(20)), lambda path: load_snapshots(path, every_s=1.0)),
    Reader("streams.npz", lambda path: np.savez_compressed(path, **streams()), read_streams),
    Reader(FILE, lambda path: agent(path.parent), lambda path: load_policy(path.parent)),
    Reader("table.parquet", TABLE.write_parquet, lambda path: read_table(path, dict(TABLE.schema))),
    Reader("about.json", lambda path: path.write_text(json.dumps({"a": [1, {"b": None}], "c": "d"})), read_json),
    Reader("config.yaml", lambda path: path.write_text("a: {b: [1, 2.5, x]}\nc: &d {e: f}\ng: *d\n"), load_yaml),
    Reader("day.zip", _lobster(".zip"), build_day),
    Reader(MESSAGE, _lobster(".csv"), build_day),
    Reader(MESSAGE + ".gz", _lobster(".csv.gz", book=False), build_day),
    Reader("day.dbn", lambda path: write_file(path, ORDERS), build_day),
    Reader("day.dbn.zst", lambda path: write_file(path, ORDERS), build_day),
]
NAMES = [reader.name for reader in READERS]
