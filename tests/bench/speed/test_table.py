"""`python -m bench table`: which records are shown, ratios only within one run, and the plot."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import recording
from bench.commands.table import table
from bench.markdown import short
from bench.recording import numbers, rates, rounded
from bench.speed.floor import instructions
from bench.speed.scaling import apart
from lobjax.errors import InputError
from tests.fuzzing import damaged, edited, fuzzed, read_or_refuse

ROOT = Path(__file__).parents[3]
ORIGIN = {
    "device": "A chip", "backend": "cpu", "cores": 2, "versions": {"jax": "0.10.2"}, "commit": "abc", "command": "python -m bench engine",
    "date": "2026-11-21T10:00:00+00:00", "run": "one",
}  # fmt: skip


def of_engine(engine: str, rate: float, books: int = 64, **rest) -> dict:
    return {
        "bench": "engine", "engine": engine, "books": books, "capacity": 128, "messages_per_call": 200, "stream": "peers", "seed": 0,
        **rates("messages_per_s", [rate * k for k in (0.9, 1, 1.1, 1, 1)]), "compile_s": 1.25, "compiled_numba": False,
        "bytes_per_book": 4096, "peak_memory_bytes": 3 << 20,
        "floor": {"limit": "bytes", "messages_per_s": 6e8, "copy_bytes_per_s": 4e10, "distance": rounded(6e8 / rate, 3)}, **ORIGIN, **rest,
    }  # fmt: skip


def of_env(steps: float, **rest) -> dict:
    return {
        "bench": "env", "engine": "host", "flow": "simulated", "task": "market_making", "reset": "episode", "envs": 256, "capacity": 128,
        "messages_per_step": 100, "steps_per_call": 100, "decisions_per_episode": 20, "included": "all of it",
        **rates("steps_per_s", [steps] * 5), "messages_per_s": 100 * steps, "compile_s": 2, "step_compile_s": 3.5,
        "step_compiled_numba": True, "bytes_per_env": 5000, "peak_memory_bytes": 1 << 20, "not_zero": {},
        "floor": {"limit": "bytes", "steps_per_s": 4e6, "copy_bytes_per_s": 4e10, "distance": rounded(4e6 / steps, 3)}, **ORIGIN, **rest,
    }  # fmt: skip


def shown(capsys, tmp_path: Path, *records: dict, **options) -> str:
    path = tmp_path / "records.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    table((path,), **options)
    return capsys.readouterr().out


def cells(text: str, first: str) -> list[str]:
    (row,) = (line for line in text.splitlines() if line.startswith(f"| {first} |"))
    return [cell.strip() for cell in row.strip("|").split("|")]


def test_a_row_has_what_was_measured(capsys, tmp_path: Path):
    text = shown(capsys, tmp_path, of_engine("host", 24.1e6), of_env(31234.0))
    assert "A chip, 2 cores, jax 0.10.2" in text and "- `python -m bench engine` · 2026-11-21 · commit `abc`" in text
    assert cells(text.split("Environment")[0], "host") == [
        "host", "64", "128", "200, peers", "24.1 M (21.7 M to 26.5 M)", "1.2 s", "4,096", "3 MiB", "600 M (bytes)", "24.9",
    ]  # fmt: skip
    assert cells(text.split("Environment")[1], "host") == [
        "host", "simulated, episode", "100", "256", "31.2 k (31.2 k to 31.2 k)", "3.12 M", "2 s", "3.5 s †", "5,000", "1 MiB",
        "4 M (bytes)", "128",
    ]  # fmt: skip


def test_of_one_thing_the_last_record_is_shown(capsys, tmp_path: Path):
    text = shown(capsys, tmp_path, of_engine("host", 1e6), of_engine("host", 2e6), of_engine("host", 3e6, books=1))
    assert "1 M (" not in text and "| 2 M (" in text and "| 3 M (" in text


def test_a_peer_is_set_against_engines_of_its_own_run_only(capsys, tmp_path: Path):
    peer = of_engine("JaxMARL-HFT", 1e4, peer=True, agreement={"all": 1.0})
    other = of_engine("host", 4e6, books=1, run="two")
    text = shown(capsys, tmp_path, of_engine("xla", 1.5e6), peer, other)
    assert cells(text, "xla")[-1] == "150" and cells(text, "host")[-1] == "" and cells(text, "JaxMARL-HFT")[-1] == ""
    assert "times JaxMARL-HFT" in text and "100.00%" in text


def test_what_must_be_zero_is_marked(capsys, tmp_path: Path):
    text = shown(capsys, tmp_path, of_env(100.0, not_zero={"flow_displaced": 7}))
    assert "| host * |" in text and "flow_displaced up to 7" in text


def test_the_plot_is_written(capsys, tmp_path: Path):
    records = [
        of_engine(name, rate * books**0.5, books) for name, rate in (("host", 3e6), ("xla", 1e5)) for books in (1, 64)
    ]
    shown(capsys, tmp_path, *records, of_engine("host", 2e6, capacity=64), plot=tmp_path / "new" / "scaling.png")
    assert (tmp_path / "new" / "scaling.png").read_bytes().startswith(b"\x89PNG")


def test_bad_files_are_one_line(capsys, tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        table((tmp_path / "absent.jsonl",))
    (tmp_path / "records.jsonl").write_text(json.dumps(of_env(1.0)) + "\n\n{'bench'}\n")
    with pytest.raises(InputError, match=r"records.jsonl, line 3: not JSON"):
        table((tmp_path / "records.jsonl",))
    (tmp_path / "records.jsonl").write_text("\n")
    with pytest.raises(InputError, match="no record in it"):
        table((tmp_path / "records.jsonl",))
    with pytest.raises(InputError, match=r"--plot .* no record of `bench engine`"):
        shown(capsys, tmp_path, of_env(1.0), plot=tmp_path / "scaling.png")


@pytest.mark.parametrize("commit", ["abc+", "unknown"])
def test_what_no_commit_holds_is_refused_unless_asked_for(capsys, tmp_path: Path, commit):
    records = of_engine("host", 1e6), of_engine("host", 2e6, books=1, commit=commit)
    with pytest.raises(InputError, match=rf"records.jsonl, line 2: .* no commit holds \(commit {re.escape(commit)}\)"):
        shown(capsys, tmp_path, *records)
    text = shown(capsys, tmp_path, *records, uncommitted=True)
    assert f"commit `{commit}`" in text and "| 2 M (" in text


def test_a_record_of_changed_files_says_so(capsys, tmp_path: Path, monkeypatch):
    for commit, changed in (("abc", False), ("abc+", True)):
        monkeypatch.setattr(recording, "origin", lambda c=commit, u=changed: {**ORIGIN, "commit": c, "uncommitted": u})
        recording.append(tmp_path / f"{commit}.jsonl", of_engine("host", 1e6) | {"commit": None})
        (line,) = (tmp_path / f"{commit}.jsonl").read_text().splitlines()
        said = capsys.readouterr().err
        assert (json.loads(line)["commit"], json.loads(line)["uncommitted"]) == (commit, changed)
        assert ("abc+.jsonl: this tree has uncommitted changes" in said) is changed


def test_figures_of_this_project_are_of_commits():
    """`bench table` takes the kept records; one older file is known to be of a changed tree, and what is read of it says so."""
    (newest,) = sorted((ROOT / "bench" / "records").glob("*-cpu"))[-1:]
    assert len(recording.read([newest / "engine.jsonl", newest / "env.jsonl"])) > 40
    commits = {
        path.name: set(re.findall(r'"commit": "(\w+\+?)"', path.read_text())) for path in newest.rglob("*.json*")
    }
    changed = {name for name, found in commits.items() if any(map(recording.is_uncommitted, found))}
    assert len(commits) > 5 and changed <= {"kernel-compile.jsonl"}


def test_numbers_and_rates():
    assert numbers("--books", "64, 1,64") == [1, 64]
    assert rates("x", [3.0, 1.0, 2.0, 9.0, 2.5]) == {"x": 2.5, "x_min": 1, "x_max": 9, "runs": 5}
    assert rates("x", [1.0, 2.0])["x"] == 1.5
    assert rounded(1234567.0) == 1235000 and rounded(0.012344) == 0.01234
    assert [short(v) for v in (24_087_000, 999_960, 1e9, 12.345, 0.5)] == ["24.1 M", "1 M", "1 G", "12.3", "0.5"]


def test_labels_are_moved_apart_as_little_as_that_takes():
    assert apart([0.1, 0.5, 0.9], 0.1) == [0.1, 0.5, 0.9]
    assert apart([0.5, 0.5, 0.5, 0.9], 0.1) == pytest.approx([0.4, 0.5, 0.6, 0.9])
    assert apart([0.1, 0.15, 0.3], 0.1) == pytest.approx([0.075, 0.175, 0.3])


@fuzzed(60)
@given(data=st.data(), kind=st.sampled_from(("engine", "env")))
def test_records_that_were_edited(tmp_path_factory, capsys, data, kind):
    """A table and a plot, or one line."""
    folder = tmp_path_factory.getbasetemp()
    record = of_engine("host", 24.1e6) if kind == "engine" else of_env(31234.0)
    path = folder / "edited.jsonl"
    path.write_text(json.dumps(data.draw(edited(record))) + "\n")
    read_or_refuse(lambda: table((path,)), size=5_000)


@fuzzed(30)
@given(data=st.data())
def test_records_that_were_damaged(tmp_path_factory, capsys, data):
    path = tmp_path_factory.getbasetemp() / "damaged.jsonl"
    lines = "".join(json.dumps(record) + "\n" for record in (of_engine("host", 1e6), of_env(10.0)))
    path.write_bytes(data.draw(damaged(lines.encode())))
    read_or_refuse(lambda: table((path,)), size=5_000)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"books": "64"}, "'books' is '64', not a whole number"),
        ({"floor": []}, "'floor' is a list, not an object"),
        ({"messages_per_s": float("nan")}, "'messages_per_s' is nan"),
        ({"messages_per_s": 0}, "not above 0"),
        ({"versions": {}}, "'versions' has no key 'jax'"),
        ({"bench": ["engine"]}, "not a record"),
    ],
)
def test_a_record_of_other_types_is_one_line(tmp_path: Path, change, said):
    path = tmp_path / "records.jsonl"
    path.write_text(json.dumps(of_engine("host", 1e6)) + "\n" + json.dumps(of_engine("host", 1e6) | change) + "\n")
    with pytest.raises(InputError) as refused:
        table((path,))
    assert said in str(refused.value) and "line 2" in str(refused.value)


def test_names_stay_in_their_cells_and_out_of_mathematics(capsys, tmp_path: Path):
    text = shown(
        capsys, tmp_path, of_engine("a|b$x_{1$", 1e6, device="A $chip_{"), of_engine("_c", 2e6), plot=tmp_path / "a.png"
    )
    assert r"| a\|b$x_{1$ |" in text and (tmp_path / "a.png").stat().st_size


@pytest.mark.parametrize(
    "line",
    ["{", "[]", '{"kernel": 1}', '{"kernel": "book", "log": false, "capacity": 0, "instructions_per_message": 1}'],
)
def test_a_kernels_record_that_is_none(tmp_path: Path, line):
    (tmp_path / "kernel.jsonl").write_text(line + "\n")
    with pytest.raises(InputError, match=r"kernel\.jsonl, line 1"):
        instructions(tmp_path / "kernel.jsonl", "book", 64)
