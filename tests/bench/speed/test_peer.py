"""Other engines: messages in JaxMARL-HFT's form, its books read, and how `bench engine --peer` uses it.

Its own code is not here. In its place stands a module of the same names that plays the same rows through lobjax' own book.
"""

import json
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from bench import timing
from bench.commands.engine import engine
from bench.peers_stream import peers_stream
from bench.speed.peers import agreement, ends_of, load
from bench.speed.peers.jaxmarl_hft import ends, to_rows
from lobjax.engine import run_streams
from lobjax.errors import InputError
from lobjax.kinds import Kind
from lobjax.types import Message, Side

FAKE_BOOK = '''
import jax, jax.numpy as jnp
from lobjax.book import Book, empty_book
from lobjax.engine import xla
from lobjax.kinds import Kind
from lobjax.types import Message

def scan_through_entire_array(config, key, rows, state):
    """Rows of eight to messages, through an empty book, and back."""
    of_type, side, lots, price, order_id, owner = rows[:, :6].T
    kind = jnp.where(of_type == 2, jnp.int32(Kind.CANCEL), of_type)
    messages = Message(kind, jnp.where(side == 1, 0, 1), price, lots, order_id, owner)
    book, _ = xla.replay(empty_book(config.nOrders), messages)
    none = jnp.zeros_like(book.price)
    fields = jnp.stack([book.price, book.size, book.order_id, book.owner, none, none], axis=-1)
    fields = jnp.where((book.size > 0)[:, :, None], fields, -1)
    return fields[1], fields[0], state[2]
'''
FAKE_CONFIG = """
import dataclasses

@dataclasses.dataclass(frozen=True)
class JAXLOB_Configuration:
    nOrders: int = 100
    nTrades: int = 100
"""


@pytest.fixture
def repository(tmp_path: Path, monkeypatch) -> Path:
    """A folder with its module names; forgotten again after the test."""
    package = tmp_path / "repository" / "gymnax_exchange" / "jaxob"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    (package / "JaxOrderBookArrays.py").write_text(FAKE_BOOK)
    (package / "jaxob_config.py").write_text(FAKE_CONFIG)
    yield package.parents[1]
    for name in [name for name in sys.modules if name.startswith("gymnax_exchange")]:
        del sys.modules[name]


def test_messages_in_its_form():
    rows = [
        (Kind.LIMIT, Side.BID, 100, 7, 1, 0),
        (Kind.IOC, Side.ASK, 99, 3, 2, 5),
        (Kind.CANCEL, Side.BID, 100, 2, 1, 0),
        (Kind.DELETE, Side.BID, 0, 0, 1, 0),
        (Kind.NOOP, Side.BID, 0, 0, 0, 0),
    ]
    messages = Message(*np.array(rows, np.int32).T[:, None])
    got = to_rows(messages)
    assert got.shape == (1, 5, 8) and got.dtype == np.int32
    assert got[0, :, :6].tolist() == [
        [1, 1, 7, 100, 1, 0],
        [4, 1, 3, 99, 2, 5],  # takes bids: type 4 names the side that is taken from
        [2, 1, 2, 100, 1, 0],
        [3, 1, 2**31 - 1, 0, 1, 0],
        [0, 0, 0, 0, 0, 0],
    ]
    assert got[0, :, 6].tolist() == [34200, 34201, 34202, 34203, 34204]  # time is priority
    with pytest.raises(InputError, match="knows no message of kind 8"):
        to_rows(messages._replace(kind=np.full((1, 5), Kind.REPLACE, np.int32)))


def test_its_books_and_ours_are_compared_by_prices_lots_and_orders():
    empty = [-1] * 6
    bids = np.array([[[100, 5, 1, 0, 1, 0], empty, [99, 2, 2, 0, 1, 0], [100, 4, 3, 0, 2, 0]], [empty] * 4])
    asks = np.array([[empty] * 4, [[103, 1, 4, 0, 1, 0], [102, 6, 5, 0, 3, 0], empty, empty]])
    got = ends((asks, bids, None))
    assert got.best_price.tolist() == [[100, 0], [0, 102]] and got.lots.tolist() == [[11, 0], [0, 7]]
    assert got.best_lots.tolist() == [[9, 0], [0, 6]] and got.orders.tolist() == [[3, 0], [0, 2]]
    ours_bids = np.zeros((2, 4, 4), np.int32)
    ours_bids[0, :3] = [[100, 5, 1, 0], [100, 4, 3, 0], [99, 2, 2, 0]]
    ours_asks = np.zeros((2, 4, 4), np.int32)
    ours_asks[1, :2] = [[102, 5, 5, 0], [103, 1, 4, 0]]  # a lot less
    shares = agreement(got, ends_of(ours_bids, ours_asks))
    assert shares == {"best_price": 1.0, "lots": 0.5, "best_lots": 0.5, "orders": 1.0, "all": 0.5}


def test_it_runs_beside_engines_on_the_same_messages(tmp_path: Path, repository: Path, monkeypatch, capsys):
    monkeypatch.setattr(timing, "LEAST_S", 0.0)
    search, hook = [*sys.path], sys.excepthook
    out = tmp_path / "records.jsonl"
    engine(engines="reference", books="6", capacity="16", messages="40", peer=f"jaxmarl_hft={repository}", out=out)
    assert sys.path == search and sys.excepthook is hook
    ours, theirs = (json.loads(line) for line in out.read_text().splitlines())
    assert theirs["engine"] == "JaxMARL-HFT" and theirs["peer"] and theirs["run"] == ours["run"]
    assert theirs["agreement"] == dict.fromkeys(("best_price", "lots", "best_lots", "orders", "all"), 1.0)
    assert theirs["messages_per_s"] > 0 and theirs["bytes_per_book"] == 4 * (2 * 16 * 6 + 100 * 8)


def test_a_difference_is_counted(repository: Path):
    messages = peers_stream(0, 5, 40)
    peer = load(f"jaxmarl_hft={repository}", 16)
    changed = messages._replace(size=messages.size + (messages.price % 2 == 0))
    got = peer.ends(jax.vmap(peer.run, in_axes=(None, 0))(peer.empty(16), peer.convert(changed)))
    result = run_streams(messages, engine="reference", capacity=16)
    shares = agreement(got, ends_of(result.bids, result.asks))
    assert shares["lots"] < 1 and shares["all"] < 1


def test_a_peer_that_is_not_there_is_one_line(tmp_path: Path):
    for asked, words in (
        ("jaxmarl", "did you mean 'jaxmarl_hft'?"),
        (f"jaxmarl_hft={tmp_path}/absent", "no folder"),
        (f"jaxmarl_hft={tmp_path}", "cannot import gymnax_exchange.jaxob in"),
        ("jaxmarl_hft", "give --peer jaxmarl_hft=FOLDER"),
    ):
        with pytest.raises(InputError) as refused:
            load(asked, 16)
        assert words in str(refused.value) and "\n" not in str(refused.value)
