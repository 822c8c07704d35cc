"""A built day: the same after a round trip, built once, rebuilt when it must be, whole or not at all."""

import json
import resource

import numpy as np
import pytest

import lobjax.data.built as built
from lobjax.data import Day, build, build_day, load_day
from lobjax.errors import InputError
from tests.data.synthetic_lobster import make_rows, write_pair

MESSAGES, BOOKS = make_rows(levels=3, rows=400, seed=1)


def assert_same(a: Day, b: Day) -> None:
    for mine, theirs in zip([*a.messages, *a.prints, *a[1:9]], [*b.messages, *b.prints, *b[1:9]], strict=True):
        assert mine.dtype == theirs.dtype and np.array_equal(mine, theirs) and theirs.flags.writeable
    assert a.info == b.info


def test_round_trip_and_idempotence(tmp_path):
    path = write_pair(tmp_path, MESSAGES, BOOKS, ".zip")
    out = tmp_path / "built"
    day, built = build(path, out=out)
    assert built
    assert_same(day, build_day(path))
    assert_same(day, load_day(out))
    stamps = {file.name: file.stat().st_mtime_ns for file in out.iterdir()}
    again, built = build(path, out=out)
    assert not built and stamps == {file.name: file.stat().st_mtime_ns for file in out.iterdir()}
    assert_same(day, again)
    assert sorted(child.name for child in tmp_path.iterdir()) == ["built", "day.zip"]


def test_rebuilt_when_sources_arguments_or_format_change(tmp_path, monkeypatch):
    path, out = write_pair(tmp_path / "in", MESSAGES, BOOKS), tmp_path / "built"
    assert build(path, out=out)[1]
    assert build(path, out=out, levels=2)[1] and load_day(out).info.levels == 2
    path.write_text(path.read_text().replace(",7,0,0,", ",7,1,0,"))
    assert build(path, out=out, levels=2)[1]
    monkeypatch.setattr(built, "FORMAT", built.FORMAT + 1)
    assert build(path, out=out, levels=2)[1] and not build(path, out=out, levels=2)[1]
    assert sorted(child.name for child in tmp_path.iterdir()) == ["built", "in"]


def test_bad_input_leaves_the_old_day_and_nothing_else(tmp_path):
    path, out = write_pair(tmp_path / "in", MESSAGES, BOOKS), tmp_path / "built"
    build(path, out=out)
    before = {file.name: file.read_bytes() for file in out.iterdir()}
    path.write_text("\n".join(MESSAGES[:-5]))
    with pytest.raises(InputError, match="row 396 has no message"):
        build(path, out=out)
    with pytest.raises(InputError, match="row 396 has no message"):
        build(path, out=tmp_path / "new")
    assert before == {file.name: file.read_bytes() for file in out.iterdir()}
    assert sorted(child.name for child in tmp_path.iterdir()) == ["built", "in"]


def test_a_full_disk_leaves_nothing(tmp_path):
    path = write_pair(tmp_path / "in", MESSAGES, BOOKS)
    build(path, out=tmp_path / "built")  # compiles whatever wants to write its cache
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            build(path, out=tmp_path / "more")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert sorted(child.name for child in tmp_path.iterdir()) == ["built", "in"]


def test_a_folder_with_anything_else_is_not_touched(tmp_path):
    path, out = write_pair(tmp_path / "in", MESSAGES, BOOKS), tmp_path / "mine"
    out.mkdir()
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="is not a built day"):
        build(path, out=out)
    with pytest.raises(InputError, match="is not a built day"):
        build(path, out=out / "thesis.txt")
    assert [file.name for file in out.iterdir()] == ["thesis.txt"]


def test_damaged_folders_are_told(tmp_path, monkeypatch):
    path, out = write_pair(tmp_path / "in", MESSAGES, BOOKS), tmp_path / "built"
    build(path, out=out)
    with pytest.raises(InputError, match="is built already"):
        load_day(out, levels=2)
    with monkeypatch.context() as patch:
        patch.setattr(built, "FORMAT", built.FORMAT + 1)
        with pytest.raises(InputError, match="this version reads 3; build the day again"):
            load_day(out)
    meta = json.loads((out / "meta.json").read_text())
    for broken, what in (
        ("{", "not JSON"),
        (json.dumps({**meta, "info": {}}), "its own sha256 is another"),
        (json.dumps({**meta, "info": {**meta["info"], "levels": 2}}), "its own sha256 is another"),
        (json.dumps({**meta, "tables": {}}), "its own sha256 is another"),
        ("[]", "a JSON list"),
        (json.dumps({**meta, "format": 1}), "of format 1, this version reads 2; build the day again"),
    ):
        (out / "meta.json").write_text(broken)
        with pytest.raises(InputError, match=what):
            load_day(out)
    (out / "meta.json").write_text(json.dumps(meta))
    whole = (out / "rows.parquet").read_bytes()
    for broken in (whole[:-100], b"", (out / "prints.parquet").read_bytes()):
        (out / "rows.parquet").write_bytes(broken)
        with pytest.raises(InputError, match=r"rows\.parquet: is not what was written there"):
            load_day(out)
    (out / "rows.parquet").unlink()
    with pytest.raises(InputError, match=r"rows\.parquet: no such file"):
        load_day(out)
    assert build(path, out=out)[1] and not build(path, out=out)[1]  # which is what the errors say to do


def test_what_lies_beside_a_built_day_is_not_lost(tmp_path):
    path, out = write_pair(tmp_path / "in", MESSAGES, BOOKS), tmp_path / "built"
    build(path, out=out)
    (out / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds 'thesis\.txt' beside a built day"):
        build(path, out=out, levels=2)
    assert (out / "thesis.txt").is_file() and load_day(out).info.levels == 3
