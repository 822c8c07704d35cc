"""The command lines: `python -m lobjax data ...` and `python -m bench replay ...`."""

import json
import subprocess
import sys

import pytest

from lobjax.__main__ import main as lobjax_main
from tests.data.synthetic_lobster import make_rows, shown_levels, write_pair

MESSAGES, BOOKS = make_rows(levels=3, rows=400, seed=1)
KEYS = ["rows", "equal_rows_per_level", "corrections", "corrections_above_deepest_level", "pruned", "unknown_ids"]


def _replay(capsys, monkeypatch, *arguments) -> dict:
    from bench.__main__ import main

    monkeypatch.setattr(sys, "argv", ["bench", "replay", *map(str, arguments)])
    main()
    return json.loads(capsys.readouterr().out.strip().splitlines()[-1])


def _status(capsys, main, *arguments) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stopped:
        main(*arguments)
    return int(stopped.value.code or 0), capsys.readouterr().err


def test_build_and_inspect(tmp_path, capsys):
    path, out = write_pair(tmp_path / "in", MESSAGES, BOOKS, ".zip"), tmp_path / "built"
    lobjax_main(["data", "build", str(path), "--out", str(out)])
    assert "400 rows" in capsys.readouterr().err
    lobjax_main(["data", "build", str(path), "--out", str(out)])
    assert "up to date" in capsys.readouterr().err
    lobjax_main(["data", "inspect", str(out)])
    built = capsys.readouterr().out
    lobjax_main(["data", "inspect", str(path)])
    assert capsys.readouterr().out == built and "volume from 09:30" in built


def test_bad_input_is_one_line_and_status_2(tmp_path, capsys):
    path = write_pair(tmp_path, MESSAGES, BOOKS[:-1])
    status, error = _status(capsys, lobjax_main, ["data", "build", str(path), "--out", str(tmp_path / "built")])
    assert status == 2 and error.startswith("error: ") and error.count("\n") == 1 and "ends at row 399" in error
    assert not (tmp_path / "built").exists()
    assert _status(capsys, lobjax_main, ["dada"]) == (2, "error: no command 'dada'; did you mean 'data'?\n")


def test_replay_reports_equality(tmp_path, capsys, monkeypatch):
    result = _replay(capsys, monkeypatch, write_pair(tmp_path, MESSAGES, BOOKS))
    assert list(result) == KEYS
    assert result["rows"] == 400 and result["equal_rows_per_level"] == [400] * 3
    assert result["corrections"] > 0 == result["corrections_above_deepest_level"]


def test_replay_sees_a_difference(tmp_path, capsys, monkeypatch):
    fields = BOOKS[200].split(",")
    fields[5] = str(int(fields[5]) + 1)  # the second ask level: above the deepest, so it is not corrected
    path = write_pair(tmp_path, MESSAGES, [*BOOKS[:200], ",".join(fields), *BOOKS[201:]])
    result = _replay(capsys, monkeypatch, path)
    assert result["equal_rows_per_level"] == [400, 399, 400] and result["corrections_above_deepest_level"] == 0


def test_replay_against_a_shallower_file_and_until(tmp_path, capsys, monkeypatch):
    rows = [(m, ",".join(b.split(",")[:4])) for m, b in zip(MESSAGES, BOOKS, strict=True)]
    kept = [
        row
        for before, row in zip([("", ""), *rows], rows, strict=False)
        if row[1] != before[1] or row[0].split(",")[1] in "567"
    ]
    other = write_pair(tmp_path / "touch", *map(list, zip(*kept, strict=True)))
    path = write_pair(tmp_path / "deep", MESSAGES, BOOKS)
    result = _replay(capsys, monkeypatch, path, "--against", other)
    assert result["rows"] == len(kept) and result["equal_rows_per_level"] == [len(kept)]
    early = sum(float(message.split(",")[0]) < 34205 for message, _ in kept)
    assert 0 < early < len(kept)
    assert _replay(capsys, monkeypatch, path, "--against", other, "--until", "9:30:05")["rows"] == early


def test_replay_of_a_seed_compares_what_there_is(tmp_path, capsys, monkeypatch):
    path, seed = write_pair(tmp_path, MESSAGES, None), tmp_path / "seed.csv"
    assert _replay(capsys, monkeypatch, path)["equal_rows_per_level"] == []
    seed.write_text(BOOKS[0])
    result = _replay(capsys, monkeypatch, path, seed)
    assert (result["rows"], result["equal_rows_per_level"], result["corrections"]) == (
        1,
        [1] * len(shown_levels(BOOKS[0])[0]),
        0,
    )


def test_replay_refuses_in_one_line(tmp_path, capsys, monkeypatch):
    from bench.__main__ import main

    path = write_pair(tmp_path, MESSAGES, BOOKS)
    for arguments, what in ((["gone.zip"], "no such file"), ([str(path), "--until", "noon"], "not a time")):
        monkeypatch.setattr(sys, "argv", ["bench", "replay", *arguments])
        status, error = _status(capsys, main)
        assert status == 2 and what in error and error.count("\n") == 1


def test_no_jax_below_lobjax_data():
    code = "import lobjax.data, lobjax.__main__, sys; sys.exit(any(name.split('.')[0] in ('jax', 'flax') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
