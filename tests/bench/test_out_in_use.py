"""A folder that a benchmark leaves is one process's at a time; records of several processes do not mix."""

import json

import jax
import pytest

from bench import recording
from bench.commands.execution_paper import execution_paper
from bench.commands.gpu_check import gpu_check
from bench.commands.market_statistics import market_statistics
from lobjax.errors import InputError
from tests.holding import writer


@pytest.mark.parametrize("command", [execution_paper, market_statistics, gpu_check])
def test_the_second_is_refused_in_one_line(tmp_path, command):
    with writer(tmp_path / "out") as process:
        with pytest.raises(InputError) as refused:
            command(out=tmp_path / "out")
        assert f"in use by process {process.pid} since 2" in str(refused.value) and "\n" not in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_a_file_for_records_that_cannot_be_is_said_before_anything_is_measured(tmp_path):
    (tmp_path / "file").write_text("")
    recording.check_out(tmp_path / "new" / "folder" / "records.jsonl")
    for path, said in ((tmp_path / "file" / "x" / "records.jsonl", "file is no folder"), (tmp_path, "is not a file")):
        with pytest.raises(InputError, match=said):
            recording.check_out(path)


def test_a_record_names_the_settings_that_it_was_made_under(tmp_path, capsys, monkeypatch):
    recording.origin.cache_clear()
    jax.devices()  # XLA reads its flags now, and not those below
    monkeypatch.setenv("XLA_FLAGS", "--a  --b")
    try:
        jax.config.update("jax_default_matmul_precision", "highest")
        recording.append(tmp_path / "records.jsonl", {"bench": "engine"})
    finally:
        jax.config.update("jax_default_matmul_precision", None)
        recording.origin.cache_clear()
    (record,) = map(json.loads, (tmp_path / "records.jsonl").read_text(encoding="utf-8").splitlines())
    assert record["command"].startswith("JAX_DEFAULT_MATMUL_PRECISION=highest 'XLA_FLAGS=--a --b' python -m bench")
    assert json.loads(capsys.readouterr().out) == record
