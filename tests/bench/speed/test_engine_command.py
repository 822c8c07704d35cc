"""`python -m bench engine`: what a record says, that a wrong engine gets none, and one-line errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import pytest

from bench import timing
from bench.commands.engine import engine
from bench.speed import programs
from lobjax import memory
from lobjax.errors import InputError

STAMP = {"device", "backend", "cores", "versions", "commit", "command", "date", "run", "system"}


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(timing, "LEAST_S", 0.0)


def measure(path: Path, **options) -> list[dict]:
    engine(**{"books": "3", "capacity": "16", "messages": "30", "out": path, **options})
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_combination_leaves_a_record(tmp_path: Path, capsys):
    out = tmp_path / "new" / "records.jsonl"
    found = measure(out, engines="host,xla,reference", books="1,3", seed=5)
    assert [(r["engine"], r["books"]) for r in found] == [(e, b) for b in (1, 3) for e in ("host", "xla", "reference")]
    printed = capsys.readouterr()
    assert [json.loads(line) for line in printed.out.splitlines()] == found and "messages/s" in printed.err
    for record in found:
        assert set(record) >= STAMP and record["bench"] == "engine" and record["stream"] == "peers"
        assert (record["capacity"], record["messages_per_call"], record["seed"], record["runs"]) == (16, 30, 5, 5)
        assert 0 < record["messages_per_s_min"] <= record["messages_per_s"] <= record["messages_per_s_max"]
        assert record["displaced"] == record["refused"] == record["unknown"] == 0 and record["fills_per_sweep"] >= 1
        floor = record["floor"]
        assert floor["limit"] == "bytes" and floor["distance"] > 1
        assert floor["messages_per_s"] == pytest.approx(
            floor["copy_bytes_per_s"] / floor["bytes_per_message"], rel=1e-3
        )
        assert floor["distance"] == pytest.approx(floor["messages_per_s"] / record["messages_per_s"], rel=1e-2)
    host = found[0]
    assert host["bytes_per_book"] == 4 * 2 * 16 * 4 and host["peak_memory_bytes"] >= host["bytes_per_book"] + 30 * 24
    # 24 bytes in and 4 out for a message, and the book twice and its counters, once in 30 messages
    assert host["floor"]["bytes_per_message"] == pytest.approx(28 + (2 * 512 + 20) / 30, rel=1e-3)
    assert "run" in found[0] and len({r["run"] for r in found}) == 1
    measure(out, engines="reference")
    assert len(out.read_text().splitlines()) == len(found) + 1  # records are added


def test_the_kernel_in_its_interpreter_says_so(tmp_path: Path):
    (record,) = measure(tmp_path / "r", engines="kernel", books="2", capacity="8", messages="10", stream="conformance")
    assert record["interpreted"] and record["compared"].startswith("books, lots traded and counters equal")
    assert "displaced" not in record


def test_books_spread_over_devices_end_alike(tmp_path: Path, monkeypatch):
    command = [
        sys.executable,
        "-m",
        "bench",
        "engine",
        "--engines",
        "xla,host",
        "--devices",
        "2",
        "--books",
        "4",
        "--messages",
        "9",
    ]
    flags = "--xla_force_host_platform_device_count=2"
    done = subprocess.run(command, env=os.environ | {"XLA_FLAGS": flags}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["engine"], r["devices"]) for r in found] == [("xla", 2), ("host", 2)]
    assert found[0]["command"].startswith(f"XLA_FLAGS={flags} python -m bench engine")
    with pytest.raises(InputError, match="--devices 2: JAX has 1 here; a CPU is made into more with XLA_FLAGS="):
        measure(tmp_path / "r", engines="xla", devices=2)
    monkeypatch.setattr(programs, "check_devices", lambda count: None)
    with pytest.raises(InputError, match="--books 3: cannot be spread evenly over 2 devices"):
        measure(tmp_path / "r", engines="xla", devices=2)


def test_an_engine_that_is_wrong_gets_no_record(tmp_path: Path, monkeypatch):
    right = programs.PROGRAMS["host"]

    def wrong(capacity: int) -> programs.Program:
        program = right(capacity)

        def run(book, messages):
            ran = program.run(book, messages)
            return ran._replace(traded=ran.traded.at[7].add(jnp.where(messages.price[0] > 9998, 1, 0)))

        return program._replace(run=run)

    monkeypatch.setitem(programs.PROGRAMS, "host", wrong)
    with pytest.raises(SystemExit, match=r"differs from the reference in [1-9][0-9]* books"):
        measure(tmp_path / "records.jsonl", engines="host", books="40")
    assert not (tmp_path / "records.jsonl").exists()


def test_the_floor_takes_instructions_from_a_record_of_kernel_compile(tmp_path: Path, monkeypatch):
    from bench.speed import floor

    path = tmp_path / "kernel.jsonl"
    lines = [
        {"kernel": kernel, "capacity": n, "log": log, "commit": "ab", "instructions_per_message": n + log + len(kernel)}
        for kernel in ("book", "market_poisson")
        for n in (32, 64)
        for log in (True, False)
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    assert floor.instructions(path, "book", 64, "peers") == (68.0, "`bench kernel-compile`, random streams")
    assert floor.instructions(path, "book", 33)[0] == 68.0 and floor.instructions(path, "book", 512)[0] is None
    assert floor.instructions(path, "market_poisson", 64)[0] == 78.0
    path.write_text(json.dumps({**lines[3], "instructions_per_message_peers": 50.0}))
    assert floor.instructions(path, "book", 64, "peers") == (50.0, "`bench kernel-compile`, stream peers")
    assert floor.instructions(path, "book", 64, "conformance")[0] == 68.0
    path.write_text(json.dumps({**lines[3], "commit": "ab+"}))
    assert (
        floor.instructions(path, "book", 64)[1]
        == "`bench kernel-compile`, random streams, on a tree that no commit holds"
    )
    for bad in ("{", "[]", '{"capacity": 64}'):
        path.write_text(bad)
        with pytest.raises(InputError, match="not JSON lines"):
            floor.instructions(path, "book", 64)
    monkeypatch.setattr(floor, "limits", lambda: floor.KNOWN["H200"])
    part = floor.floor(28.0, 1e9, instructions_each=207.0)
    assert part["limit"] == "instructions" and part["messages_per_s"] == pytest.approx(5.05e9, rel=1e-2)
    assert part["distance"] == pytest.approx(5.05, rel=1e-2)


def test_a_device_that_is_too_small_is_one_line(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda: 1000)
    with pytest.raises(InputError, match=r"host: a call of 3 books of capacity 16 needs about .* run fewer books"):
        measure(tmp_path / "records.jsonl", engines="host")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engines": "hots"}, "did you mean 'host'?"),
        ({"books": "1,many"}, "--books: 'many' is not a whole number"),
        ({"books": "0"}, "--books: 0 is out of range"),
        ({"capacity": "513"}, "--capacity: 513 is out of range"),
        ({"runs": 4}, "--runs 4: too few"),
        ({"seed": -1}, "--seed: -1 is out of range"),
        ({"stream": "peer"}, "did you mean 'peers'?"),
        ({"messages": "300"}, "overflow a capacity of 16; take fewer messages or more capacity"),
        ({"peer": "abides"}, "unknown engine 'abides'"),
        ({"out": Path("/")}, "--out /: is not a file"),
    ],
)
def test_a_bad_argument_is_one_line(tmp_path: Path, options, words):
    with pytest.raises(InputError) as refused:
        measure(**{"path": tmp_path / "records.jsonl", "engines": "reference", **options})
    assert words in str(refused.value) and "\n" not in str(refused.value)
    assert not (tmp_path / "records.jsonl").exists()
