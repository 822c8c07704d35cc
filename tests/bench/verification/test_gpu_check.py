"""`python -m bench gpu-check`: one line where there is no GPU; where there is one, a part that fails or hangs costs only itself."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.commands.gpu_check import gpu_check
from bench.verification import gpu_check as module
from bench.verification.gpu_check import Part, found_gpu, parts
from lobjax.errors import InputError
from tests.bench.speed.test_table import of_engine


def test_without_a_gpu_it_ends_with_one_line(tmp_path: Path):
    from tests.book.test_run_stream import bench

    done = bench("gpu-check", "--out", tmp_path / "records")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "JAX finds no GPU here" in done.stderr
    assert not (tmp_path / "records").exists()


def test_what_other_parts_wrote_is_kept(tmp_path: Path, monkeypatch, capsys):
    out = tmp_path / "records"
    record = json.dumps(of_engine("kernel", 1e9, device="NVIDIA H200"))
    writes = f"open({str(out / module.RECORDS)!r}, 'a').write({record!r} + chr(10)); print('measured')"
    listed = [
        Part("fails", ["-c", "raise SystemExit(3)"], 20),
        Part("kernel", ["-c", writes], 20),
        Part("hangs", ["-c", "import time; print('begun', flush=True); time.sleep(60)"], 1),
    ]
    monkeypatch.setattr(module, "found_gpu", lambda: "NVIDIA H200")
    monkeypatch.setattr(module, "parts", lambda *_: listed)
    with pytest.raises(SystemExit) as left:
        gpu_check(out=out)
    assert left.value.code == 1
    assert json.loads(capsys.readouterr().out)["failed"] == ["fails", "hangs"]
    summary = json.loads((out / module.SUMMARY).read_text())
    assert [(part["part"], part["status"]) for part in summary["parts"]] == [
        ("fails", 3), ("kernel", 0), ("hangs", "stopped after 1 s"), ("tables", 0),
    ]  # fmt: skip
    assert summary["device"] == "NVIDIA H200" and summary["records"] == 1
    log = (out / module.LOG).read_text()
    assert "measured" in log and "begun" in log and "fails: 3" in log
    assert "| kernel |" in (out / module.TABLES).read_text() and (out / module.PLOT).stat().st_size > 1000


def test_no_time_left_is_a_failure(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(module, "found_gpu", lambda: "NVIDIA H200")
    monkeypatch.setattr(module, "parts", lambda *_: [Part("late", ["-c", "pass"], 20)])
    clock = iter((0.0, 10.0))  # seconds, as it begins and before the part
    monkeypatch.setattr("bench.commands.gpu_check.time", SimpleNamespace(monotonic=lambda: next(clock)))
    with pytest.raises(SystemExit):
        gpu_check(out=tmp_path / "records", minutes=0.1)
    (late, tables) = json.loads((tmp_path / "records" / module.SUMMARY).read_text())["parts"]
    assert late["status"] == "no time left" and tables["status"] == 2  # nothing to show


def test_the_parts_are_commands_that_exist(tmp_path: Path):
    listed = parts(tmp_path, Path("day.zip"), Path("kernel.jsonl"))
    assert [part.name for part in listed] == ["tests", "kernel", "recorded", "simulated", "parity", "nets", "xla"]
    assert "1,4,16,64,256,1024,4096,16384,65536" in listed[1].arguments and "day.zip" in listed[2].arguments
    assert [part.name for part in parts(tmp_path, None, None)] == [
        "tests",
        "kernel",
        "simulated",
        "parity",
        "nets",
        "xla",
    ]


def test_bad_arguments_are_one_line(tmp_path: Path):
    (tmp_path / "taken").write_text("")
    for options, words in (
        ({"out": tmp_path}, "exists; name a new folder"),
        ({"out": tmp_path / "new", "minutes": 0.0}, "--minutes: 0.0 is out of range"),
        ({"out": tmp_path / "new", "data": tmp_path / "absent"}, "no such file"),
    ):
        with pytest.raises(InputError) as refused:
            gpu_check(**options)
        assert words in str(refused.value) and not (tmp_path / "new").exists()


def test_a_backend_that_is_no_gpu_is_told(monkeypatch):
    monkeypatch.setattr(module, "PROBE", "print('cpu|cpu')")
    with pytest.raises(InputError, match="finds no GPU"):
        found_gpu()
    monkeypatch.setattr(module, "PROBE", "print('noise'); print('gpu|NVIDIA H200')")
    assert found_gpu() == "NVIDIA H200"
