"""Two builds of one folder, builds that are killed, and readers that come while a folder is built again."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import lobjax.data.built as built
import lobjax.data.store as store
from lobjax.data import build, load_day
from lobjax.errors import InputError
from tests.data.synthetic_lobster import make_rows, write_pair
from tests.holding import start

MESSAGES, BOOKS = make_rows(levels=3, rows=60, seed=1)
# A build that stops in its middle, says so and goes on when it is told to.
STOPS = """
import sys
import lobjax.data.store as store
whole = store.whole_folder
def stops(*arguments, **rest):
    print("writing", flush=True)
    sys.stdin.readline()
    return whole(*arguments, **rest)
store.whole_folder = stops
from lobjax.__main__ import main
main(["data", "build", *sys.argv[1:]])
"""
# One that is killed with half a folder written.
DIES = """
import os, signal, sys
import lobjax.data.built as built
frame, made = built.pl.DataFrame, []
def dies(*arguments, **rest):
    made.append(1)
    if len(made) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return frame(*arguments, **rest)
built.pl.DataFrame = dies
from lobjax.__main__ import main
main(["data", "build", *sys.argv[1:]])
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    return write_pair(tmp_path_factory.mktemp("day"), MESSAGES, BOOKS)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "lobjax", "data", "build", *map(str, arguments)]


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_the_second_build_waits_says_so_and_finds_it_built(source, tmp_path):
    out = tmp_path / "built"
    first = start(STOPS, source, "--out", out)
    assert first.stdout is not None and first.stdout.readline() == "writing\n"
    second = subprocess.Popen(command(source, "--out", out), stderr=subprocess.PIPE, text=True)
    reader = start("import sys; from lobjax.data import load_day; print(load_day(sys.argv[1]).info.rows)", out)
    assert second.stderr is not None and reader.stderr is not None
    for process in (second, reader):
        assert f"{out}: in use by process {first.pid} since" in process.stderr.readline()
    said = first.communicate("\n")[1]
    assert first.returncode == 0 and "built in" in said
    rest = second.communicate()[1]
    assert second.returncode == 0 and "up to date" in rest and rest.count("\n") == 1
    assert reader.communicate()[0] == "60\n"
    assert names(tmp_path) == ["built"]


def test_after_a_killed_build_the_next_goes_on_and_clears_away(source, tmp_path):
    out = tmp_path / "built"
    died = start(DIES, source, "--out", out)
    assert died.wait() == -signal.SIGKILL
    died.communicate()
    assert len(names(tmp_path)) == 2 and "built" not in names(tmp_path), "its lock, and half a folder"
    done = subprocess.run(command(source, "--out", out), stderr=subprocess.PIPE, text=True)
    assert done.returncode == 0 and "built in" in done.stderr and done.stderr.count("\n") == 1
    assert names(tmp_path) == ["built"] and load_day(out).info.rows == 60


def test_a_build_that_is_up_to_date_needs_no_lock(source, tmp_path):
    """It may lie where nothing can be written, or be read by many at once."""
    build(source, out=tmp_path / "built")
    with store.locks.held(tmp_path / "built"):
        assert build(source, out=tmp_path / "built")[1] is False


@pytest.mark.parametrize("exchange", [True, False])
def test_a_reader_in_the_middle_of_a_rebuild_sees_one_day(source, tmp_path, monkeypatch, exchange):
    """Whatever table it has read when the folder is replaced, with and without a system that exchanges names in one step."""
    import lobjax.files as files

    if not exchange:
        monkeypatch.setattr(files, "_exchanged", lambda a, b: False)
    deep, shallow = (build(source, out=tmp_path / str(levels), levels=levels)[0] for levels in (3, 2))
    read, out = built.read_table, tmp_path / "built"
    for at in range(3):
        shutil.rmtree(out, ignore_errors=True)
        build(source, out=out, levels=3)
        seen: list[str] = []

        def and_rebuild(*arguments, seen=seen, at=at, **rest):
            frame = read(*arguments, **rest)
            seen.append("table")
            if len(seen) == at + 1:
                build(source, out=out, levels=2)
            return frame

        with monkeypatch.context() as patch:
            patch.setattr(built, "read_table", and_rebuild)
            day = store.read_day(out)
        assert day.info == shallow.info != deep.info and len(seen) > 3
        assert all(np.array_equal(a, b) for a, b in zip(day.messages, shallow.messages, strict=True))
    assert names(tmp_path) == ["2", "3", "built"]


def test_a_source_that_changes_while_it_is_read_is_told(source, tmp_path, monkeypatch):
    path = write_pair(tmp_path / "in", *make_rows(levels=3, rows=400, seed=1))
    translated = store.build_day

    def changes(*arguments, **rest):
        path.write_text(path.read_text().replace(",7,0,0,", ",7,1,0,"))
        return translated(*arguments, **rest)

    monkeypatch.setattr(store, "build_day", changes)
    with pytest.raises(InputError, match="was changed while it was read"):
        build(path, out=tmp_path / "built")
    assert names(tmp_path) == ["in"]


def test_bad_input_makes_no_parents(source, tmp_path):
    path = write_pair(tmp_path / "in", MESSAGES[:-5], BOOKS)
    with pytest.raises(InputError):
        build(path, out=tmp_path / "a" / "b")
    assert names(tmp_path) == ["in"] and os.path.isfile(source)
