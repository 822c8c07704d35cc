"""Every reader on damaged files and on whole ones that say what cannot be: what was read, or one line; in time and memory."""

import hashlib
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobjax.data import build, load_day
from lobjax.data.built import _TABLES, META, _digest
from lobjax.engine.stream import read_streams
from lobjax.policy import FILE, load_policy
from lobjax.reading import read_json, read_table
from lobjax.results.stamp import data_sources
from lobjax.snapshot import load_snapshots
from lobjax.tasks import RecordedConfig
from tests.data.synthetic_lobster import write_pair
from tests.fuzzing import damaged, edited, fuzzed, leaves, read_or_refuse, spoilt
from tests.reading.readers import NAMES, READERS, ROWS, agent, streams
from tests.snapshot.days import day


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    """The bytes of a whole file of each reader, all read once: what Numba and JAX compile for that is in no example's time."""
    found = {}
    for reader in READERS:
        path = tmp_path_factory.mktemp("whole") / reader.name
        reader.write(path)
        reader.read(path)
        found[reader.name] = path.read_bytes()
    return found


@pytest.mark.parametrize("reader", READERS, ids=NAMES)
@fuzzed(40)
@given(data=st.data())
def test_damaged_bytes(whole, tmp_path, reader, data):
    content = data.draw(damaged(whole[reader.name]))
    (tmp_path / reader.name).write_bytes(content)
    read_or_refuse(lambda: reader.read(tmp_path / reader.name))


@pytest.mark.parametrize("reader", READERS, ids=NAMES)
@fuzzed(4)
@given(data=st.data())
def test_damaged_bytes_take_memory_for_their_size(whole, tmp_path, reader, data):
    content = data.draw(damaged(whole[reader.name]))
    (tmp_path / reader.name).write_bytes(content)
    read_or_refuse(
        lambda: reader.read(tmp_path / reader.name), size=len(content), seconds=20
    )  # counting takes most of it


SNAPSHOTS = {"bids": day(20).bids, "asks": day(20).asks, "time_s": day(20).time_ns / 1e9}


@fuzzed(60)
@given(data=st.data())
def test_arrays_of_snapshots(tmp_path, data):
    name = data.draw(st.sampled_from(sorted(SNAPSHOTS)))
    np.savez(tmp_path / "day.npz", **{**SNAPSHOTS, name: data.draw(spoilt(SNAPSHOTS[name]))})
    read_or_refuse(lambda: load_snapshots(tmp_path / "day.npz", every_s=1.0))


@fuzzed(40)
@given(data=st.data())
def test_arrays_of_streams(tmp_path, data):
    given_ = streams()
    name = data.draw(st.sampled_from(sorted(given_)))
    np.savez(tmp_path / "in.npz", **{**given_, name: data.draw(spoilt(given_[name]))})
    read_or_refuse(lambda: read_streams(tmp_path / "in.npz"))


@fuzzed(40)
@given(data=st.data())
def test_agents(tmp_path_factory, data):
    folder = _agent(tmp_path_factory)
    with np.load(folder / FILE) as archive:
        arrays = dict(archive)
    about = json.loads(str(arrays["config"]))
    name = data.draw(st.sampled_from(sorted(arrays)))
    if data.draw(st.booleans()) or name == "config":
        arrays["config"] = np.array(json.dumps(data.draw(edited(about))))
    else:
        arrays[name] = data.draw(spoilt(arrays[name]))
    np.savez(folder / "x" / FILE, **arrays)
    read_or_refuse(lambda: load_policy(folder / "x"))


def _agent(factory, made: list[Path] = []) -> Path:  # noqa: B006 # once
    if not made:
        made.append(factory.mktemp("agent"))
        agent(made[0])
        (made[0] / "x").mkdir()
    return made[0]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("day")
    build(write_pair(folder, *ROWS), out=folder / "built")
    return folder / "built"


def _copied(built: Path, to: Path, tables: dict[str, pl.DataFrame], meta: dict) -> Path:
    """The folder with some tables and other words, and every digest as if it had been written so."""
    to.mkdir(exist_ok=True)
    digests = {}
    for name in _TABLES:
        path = to / f"{name}.parquet"
        tables[name].write_parquet(path) if name in tables else path.write_bytes((built / path.name).read_bytes())
        digests[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    meta = {**meta, "tables": meta.get("tables") and digests}
    (to / META).write_text(json.dumps({**meta, "sha256": _digest(meta)}))
    return to


@fuzzed(120)
@given(data=st.data())
def test_tables_of_a_built_day(built, tmp_path, data):
    """One column of one table spoilt, or left out, or another table in its place; with the right digest all the same."""
    meta = json.loads((built / META).read_text())
    name = data.draw(st.sampled_from(sorted(_TABLES)))
    frame = pl.read_parquet(built / f"{name}.parquet")
    column = data.draw(st.sampled_from(frame.columns))
    match data.draw(st.integers(0, 9)):
        case 0:
            frame = frame.drop(column)
        case 1:
            frame = pl.read_parquet(built / f"{data.draw(st.sampled_from(sorted(_TABLES)))}.parquet")
        case 2:
            frame = frame.head(data.draw(st.integers(0, len(frame))))
        case 3:
            frame = frame.with_columns(
                pl.when(pl.int_range(len(frame)) == 1).then(None).otherwise(pl.col(column)).alias(column)
            )
        case 4:
            frame = frame.with_columns(
                pl.col(column).cast(data.draw(st.sampled_from((pl.String, pl.Int64, pl.Float64, pl.Boolean))))
            )
        case _:
            values = data.draw(spoilt(frame[column].to_numpy()))
            if values.ndim == 1 and len(values) == len(frame) and values.dtype.kind in "iuf":
                frame = frame.with_columns(pl.Series(column, values))
    read_or_refuse(lambda: load_day(_copied(built, tmp_path / "x", {name: frame}, meta)))


@fuzzed(60)
@given(data=st.data())
def test_what_a_built_day_says_of_itself(built, tmp_path, data):
    meta = data.draw(edited(json.loads((built / META).read_text())))
    to = _copied(built, tmp_path / "x", {}, meta if isinstance(meta, dict) else {})
    read_or_refuse(lambda: load_day(to))
    read_or_refuse(lambda: data_sources(RecordedConfig(path=to)))


@fuzzed(60)
@given(document=leaves() | edited({"a": [1, {"b": None}], "c": "d"}))
def test_json(tmp_path, document):
    (tmp_path / "it").write_text(json.dumps(document))
    read_or_refuse(lambda: read_json(tmp_path / "it"))


@fuzzed(40)
@given(data=st.data())
def test_tables(tmp_path, data):
    given_ = pl.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": ["x", "y", "x"]})
    other = data.draw(
        st.sampled_from(([None] * 3, ["é"] * 3, [1, 2, 3], [[1], [], None], [{"k": 1}] * 3, [b"\xff"] * 3, [True] * 3))
    )
    frame = given_.with_columns(pl.Series(data.draw(st.sampled_from(("a", "b", "c", "d"))), other, strict=False))
    frame.write_parquet(
        tmp_path / "t", compression=data.draw(st.sampled_from(("zstd", "snappy", "gzip", "lz4", "uncompressed")))
    )
    read_or_refuse(lambda: read_table(tmp_path / "t", dict(given_.schema)))
    read_or_refuse(lambda: read_table(tmp_path / "t"))
