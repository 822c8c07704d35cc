"""`python -m bench run-stream` as a user runs it: what it writes, and how it refuses bad input."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lobjax.engine import ENGINES, run_streams
from lobjax.engine.random_streams import random_streams
from lobjax.engine.stream import StreamResult, read_streams
from lobjax.errors import InputError
from lobjax.types import Message

ROOT = Path(__file__).parents[2]


def run(*arguments: str | Path | int, **options) -> subprocess.CompletedProcess:
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, **options)


def bench(*arguments: str | Path | int, **options) -> subprocess.CompletedProcess:
    return run("-m", "bench", *arguments, **options)


@pytest.fixture
def streams(tmp_path: Path) -> Path:
    path = tmp_path / "in.npz"
    np.savez(path, **random_streams(seed=3, books=4, length=50)._asdict())
    return path


@pytest.mark.parametrize("engine", ENGINES)
def test_writes_what_the_engine_gives(streams: Path, tmp_path: Path, engine: str):
    out = tmp_path / "new folder" / "result"
    done = bench("run-stream", streams, "--engine", engine, "--capacity", 9, "--out", out)
    assert (done.returncode, done.stdout) == (0, "")
    expected = run_streams(read_streams(streams), engine="reference", capacity=9)
    with np.load(out) as written:
        assert sorted(written) == sorted(StreamResult._fields)
        for name, array in expected._asdict().items():
            assert written[name].dtype == np.int32
            assert np.array_equal(written[name], array)
    assert expected.bids.shape == (4, 9, 4) and expected.fills.shape[1] == 6 and len(expected.fills) > 0


def test_the_reference_runs_without_jax(streams: Path, tmp_path: Path):
    code = (
        "import sys; from bench.commands.run_stream import run_stream; from pathlib import Path;"
        f"run_stream(Path({str(streams)!r}), engine='reference', capacity=8, out=Path({str(tmp_path / 'out.npz')!r}));"
        "sys.exit('jax' in sys.modules)"
    )
    assert run("-c", code).returncode == 0


def test_help_names_commands_and_options():
    assert "run-stream" in bench("--help").stdout
    text = bench("run-stream", "--help").stdout
    assert all(word in text for word in ("--engine", "--capacity", "--out", "PATH", "POST_ONLY", "best first"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"engine": "refrence"}, "did you mean 'reference'?"),
        ({"capacity": 0}, "1 to 512"),
        ({"capacity": 513}, "1 to 512"),
        ({"path": "absent.npz"}, "no such file"),
        ({"out": "in.npz"}, "the input itself"),
        ({"out": "."}, "is a folder"),
        ({"out": "in.npz/out.npz"}, "is a file, not a folder"),
    ],
)
def test_a_bad_argument_is_one_line_and_status_2(streams: Path, change: dict, words: str):
    given = {"path": "in.npz", "engine": "reference", "capacity": 8, "out": "out.npz"} | change
    before = streams.read_bytes()
    options = [text for name in ("engine", "capacity", "out") for text in (f"--{name}", given[name])]
    done = bench("run-stream", given["path"], *options, cwd=streams.parent)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and words in done.stderr
    assert [path.name for path in streams.parent.iterdir()] == ["in.npz"]
    assert streams.read_bytes() == before


def test_a_full_disk_leaves_nothing_behind(streams: Path, tmp_path: Path):
    wide = random_streams(seed=3, books=80, length=5)
    np.savez(streams, **wide._asdict())
    run_streams(wide, engine="reference", capacity=512)  # fills Numba's cache, which must not meet the limit
    # No file may grow past 1 MB; set in the new process, since a fork of one that runs JAX is not safe.
    code = (
        "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20));"
        "runpy.run_module('bench', run_name='__main__', alter_sys=True)"
    )
    options = ("--engine", "reference", "--capacity", 512, "--out", tmp_path / "out.npz")
    done = run("-c", code, "run-stream", streams, *options)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "cannot write" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.npz"]


def changed(**fields: np.ndarray | None) -> dict[str, np.ndarray]:
    arrays = random_streams(seed=3, books=2, length=3)._asdict() | fields
    return {name: array for name, array in arrays.items() if array is not None}


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (changed(owner=None), "no array named 'owner'"),
        (changed(size=np.zeros((2, 4), np.int32)), "'size' has shape (2, 4), 'kind' has (2, 3)"),
        (changed(price=np.zeros(3, np.int32)), "must be [books, messages]"),
        ({name: np.zeros((2, 0), np.int32) for name in Message._fields}, "at least one of each"),
        (changed(price=np.full((2, 3), 1.5)), "has type float64"),
        (changed(price=np.full((2, 3), "7")), "has type <U1"),
        (changed(price=np.array([[1, 2, 3], [4, 2**31, 6]])), "is 2147483648 at book 1, message 1"),
        (
            changed(size=np.array([[1, 2, 2**64 - 1], [4, 5, 6]], np.uint64)),
            "is 18446744073709551615 at book 0, message 2",
        ),
        (changed(kind=np.full((2, 3), None)), "not a whole .npz file (an array of type object)"),
    ],
)
def test_bad_arrays_are_refused(tmp_path: Path, arrays: dict, words: str):
    np.savez(tmp_path / "in.npz", **arrays)
    with pytest.raises(InputError) as caught:
        read_streams(tmp_path / "in.npz")
    assert words in str(caught.value)


def test_wide_integers_in_range_are_read_as_int32(tmp_path: Path):
    np.savez(tmp_path / "in.npz", **changed(price=np.array([[1, 2, 3], [-(2**31), 2**31 - 1, 6]])))
    assert read_streams(tmp_path / "in.npz").price.dtype == np.int32


def test_files_that_are_no_npz_are_refused(streams: Path, tmp_path: Path):
    whole = streams.read_bytes()
    np.save(tmp_path / "one.npy", np.zeros((2, 3), np.int32))
    bad = {"empty": b"", "text": b"hello", "short": whole[:700], "torn": whole[:300] + b"?" * 300 + whole[600:]}
    bad["single array"] = (tmp_path / "one.npy").read_bytes()
    for name, content in bad.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(content)
        with pytest.raises(InputError, match=r"not a whole \.npz file"):
            read_streams(path)
    with pytest.raises(InputError, match="not a file"):
        read_streams(tmp_path)
