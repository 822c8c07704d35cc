"""`bench resume`: what it refuses, and that a difference is seen."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.commands.resume import resume
from bench.verification import kills
from lobjax.errors import InputError


def test_bad_input_to_resume_is_refused(tmp_path):
    with pytest.raises(InputError, match="--kills: 0 is out of range; choose 1 to"):
        resume(kills=0)
    with pytest.raises(InputError, match="no such file"):
        resume(config=tmp_path / "none.yaml")


def test_a_resumed_run_that_ends_otherwise_is_counted_and_fails(tmp_path, monkeypatch, capsys):
    """With a run of no time at all in the place of training: each makes a folder and sleeps; killed ones end with other metrics."""
    script = tmp_path / "fake.py"
    script.write_text(FAKE)

    def command(name, target, folder=None, seed=0):
        return [sys.executable, str(script), name, str(folder or target)]

    monkeypatch.setattr(kills, "train_command", command)
    config = tmp_path / "any.yaml"
    config.write_text("env: {market: {engine: xla}}\n")  # looked at before anything is started
    with pytest.raises(SystemExit) as stopped:
        resume(kills=2, seed=0, config=config, out=tmp_path / "records.jsonl")
    assert stopped.value.code == 1
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"kills": 2, "equal": 0}
    (record,) = map(json.loads, (tmp_path / "records.jsonl").read_text().splitlines())
    assert all(at["digest_equal"] and not at["metrics_equal"] for at in record["at"])


FAKE = """
import sys, time
from pathlib import Path
name, folder = sys.argv[1], Path(sys.argv[2])
if name == "digest":
    print("abc")
else:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "run.json").write_text("{}")
    update = 1 if folder.name == "whole" else 2
    (folder / "metrics.jsonl").write_text('{"update": %d, "step": %d, "time/s": %f}\\n' % (update, update, time.time()))
    time.sleep(0.5 if name == "run" else 0)
"""


@pytest.mark.slow
def test_a_killed_smoke_run_ends_to_the_bit(tmp_path):
    """Two of the twenty kills of `python -m bench resume`, on the real configuration."""
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-m", "bench", "resume", "--kills", "2"], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"kills": 2, "equal": 2}
