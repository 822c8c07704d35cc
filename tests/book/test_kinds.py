"""The table of kinds: its rows make sense, the random streams exercise every one, and a kind that forgot its traits is limited."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lobjax.engine import trace_streams
from lobjax.engine.random_streams import random_streams
from lobjax.kinds import KNOWN, MOST_KINDS, Kind, Trait, has, in_mask, is_known, mask

ENTERS = Trait.TAKES | Trait.RESTS


@pytest.mark.parametrize("kind", Kind)
def test_a_row_asks_for_what_its_moves_need(kind: Kind):
    traits = kind.traits
    means_own = traits & (Trait.NAMES_ORDER | Trait.OF_OWNER)
    assert Trait.SIDED in traits or not traits & ~Trait.NEVER_ADDS, "whatever moves has a side"
    assert not traits & ENTERS or Trait.SIZED in traits, "what trades or rests has a size"
    assert Trait.RESTS not in traits or Trait.PRICED in traits
    assert Trait.TAKES not in traits or (Trait.PRICED in traits) != (Trait.ANY_PRICE in traits)
    assert Trait.RESTS not in traits or (Trait.NEW_ID in traits) != (Trait.REENTERS in traits), "what rests has an id"
    assert Trait.REENTERS not in traits or Trait.NAMES_ORDER in traits
    assert means_own != Trait.NAMES_ORDER | Trait.OF_OWNER
    assert not (Trait.OF_OWNER in traits and Trait.SIZED in traits) or Trait.PRICED in traits, (
        "newest first, of a price"
    )
    assert Trait.NEVER_TAKES not in traits or (Trait.RESTS in traits and Trait.TAKES not in traits)
    assert (Trait.NEVER_ADDS in traits) != bool(traits & ENTERS)


def test_masks_hold_the_kinds_that_have_the_traits():
    assert [list(Kind).index(kind) for kind in Kind] == [int(kind) for kind in Kind], "numbered as listed"
    assert len(Kind) <= MOST_KINDS and 2 ** len(Kind) - 1 == KNOWN
    kinds = np.arange(-3, len(Kind) + 3, dtype=np.int32)
    assert (is_known(kinds) == ((kinds >= 0) & (kinds < len(Kind)))).all()
    for trait in Trait:
        assert [bool(has(int(kind), mask(trait))) for kind in Kind] == [trait in kind.traits for kind in Kind]
        assert (has(kinds[3:-3], mask(trait)) == in_mask(kinds[3:-3], mask(trait))).all()
    assert mask(Trait.TAKES, without=Trait.RESTS) == 1 << Kind.MARKET | 1 << Kind.IOC | 1 << Kind.FOK


def test_streams_exercise_every_kind():
    """Not only as bad ones: each kind often does what it is for, and is often refused as unknown where it can be."""
    messages = random_streams(3, 100, 400)
    trace = trace_streams(messages, engine="reference", capacity=47)
    counted = np.diff(trace.counters, axis=1, prepend=0)
    listed = np.concatenate([np.zeros_like(trace.listings[:, :1]), trace.listings], axis=1)
    changed = (listed[:, 1:] != listed[:, :-1]).any(axis=(2, 3, 4))
    invalid, unknown = counted[..., 1] > 0, counted[..., 0] > 0
    for kind in set(Kind) - {Kind.NOOP}:
        mine = (messages.kind == kind) & ~invalid
        assert (mine & changed).sum() > 50, f"{kind.name} hardly ever changes a book"
        if kind.traits & (Trait.NAMES_ORDER | Trait.OF_OWNER):
            assert (mine & unknown).sum() > 20, f"{kind.name} hardly ever misses"


PLANTED = """
import sys, types
from pathlib import Path
import lobjax
source, number = Path(lobjax.__file__).with_name("kinds.py").read_text(encoding="utf-8"), int(sys.argv[1])
table = sys.modules["lobjax.kinds"] = types.ModuleType("lobjax.kinds")
exec(source.replace("\\n\\n\\nKNOWN", f"\\n    PLANTED = {number}, Trait(0)\\n\\n\\nKNOWN"), table.__dict__)

import jax.numpy as jnp
import numpy as np
from lobjax.kinds import Kind
from lobjax.market import risk
from lobjax.market.host import accounts as twins
from lobjax.market.host.memory import LOTS
from lobjax.reference.arrays import empty_book
from lobjax.types import Message

for kind in (Kind.PLANTED, Kind.LIMIT, Kind.CANCEL):
    limits = risk.Limits(*(jnp.asarray([0, lots], jnp.int32) for lots in (-5, 5, 0)))
    book = types.SimpleNamespace(**dict.fromkeys(("size", "order_id", "owner"), jnp.zeros((2, 8), jnp.int32)))
    message = Message(*(jnp.int32(x) for x in (kind, 0, 100, 9, 1, 1)))
    sent, cut = risk.clip_to_limits(book, jnp.asarray([0, 2], jnp.int32), message, limits)
    accounts, tally = np.zeros((16, 2), np.int64), np.zeros(64, np.int64)
    accounts[LOTS, 1] = 2
    twin = np.array([kind, 0, 100, 9, 1, 1], np.int32)
    twins.clip_to_limits(empty_book(8), accounts, twin, *(np.asarray(limit) for limit in limits), False, tally)
    print(kind.name, int(sent.size), int(cut), int(twin[3]), int(tally[twins.CLIPPED]))
"""


def test_a_kind_without_traits_is_limited_by_both_twins(tmp_path: Path):
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "NUMBA_CACHE_DIR": str(tmp_path), "JAX_PLATFORMS": "cpu"}
    command = [sys.executable, "-c", PLANTED, str(len(Kind))]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["PLANTED 3 6 3 6", "LIMIT 3 6 3 6", "CANCEL 9 0 9 0"]


RECIPE = """
import sys, types
from pathlib import Path
import lobjax
source, number = Path(lobjax.__file__).with_name("kinds.py").read_text(encoding="utf-8"), int(sys.argv[1])
row = f"    ALL_AT_MARKET = {number}, T.SIDED | T.SIZED | T.TAKES | T.ANY_PRICE | T.ALL_OR_NOTHING"
table = sys.modules["lobjax.kinds"] = types.ModuleType("lobjax.kinds")
exec(source.replace("\\n\\n\\nKNOWN", f"\\n{row}\\n\\n\\nKNOWN"), table.__dict__)

import numpy as np
from lobjax.engine import run_streams
from lobjax.kinds import Kind
from lobjax.types import Message

rows = [(Kind.LIMIT, 1, 101, 3, 1), (Kind.LIMIT, 1, 105, 4, 2), (Kind.ALL_AT_MARKET, 0, 0, 8, 0), (Kind.ALL_AT_MARKET, 0, 0, 5, 0)]
messages = Message(*np.asarray([(*row, 0) for row in rows], np.int32).T[:, None])
for engine in ("reference", "xla"):
    found = run_streams(messages, engine=engine, capacity=8)
    print(engine, found.traded[0].tolist(), int(found.refused[0]), found.asks[0, 0].tolist())
"""


def test_the_recipe_a_kind_that_recombines_known_moves_is_one_row(tmp_path: Path):
    """A market order that trades all or nothing: eight lots are more than the seven there; five take three and two."""
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "NUMBA_CACHE_DIR": str(tmp_path), "JAX_PLATFORMS": "cpu"}
    run = subprocess.run(
        [sys.executable, "-c", RECIPE, str(len(Kind))], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.splitlines() == [f"{engine} [0, 0, 0, 5] 1 [105, 2, 2, 0]" for engine in ("reference", "xla")]
