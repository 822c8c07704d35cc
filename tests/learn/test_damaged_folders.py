"""Folders of runs and sweeps that people edited, cut or damaged: read, or refused in one line, before anything is compiled or changed."""

import json
import os
import shutil
import tracemalloc
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lobjax.errors import InputError
from lobjax.learn import checkpoint, figures
from lobjax.learn.config import config_from
from lobjax.learn.runfolder import RunFolder
from lobjax.learn.sweep import report
from lobjax.learn.sweep.run import run_sweep
from lobjax.learn.sweep.table import open_folder
from tests.fuzzing import damaged, edited, fuzzed, read_or_refuse
from tests.learn.conftest import command
from tests.learn.probes import TASKS
from tests.learn.sweeps import by_formula, loaded
from tests.spoilt_tables import parquet, spoilt_table


@pytest.fixture(scope="module")
def scratch(tmp_path_factory) -> Path:
    """A run's folder, changed from test to test."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def short(finished_run, tmp_path_factory) -> Path:
    """The finished run with its last checkpoint alone."""
    folder = tmp_path_factory.mktemp("short") / "run"
    shutil.copytree(finished_run, folder, ignore=shutil.ignore_patterns("tensorboard", "figures", ".lock"))
    for path in list(checkpoint.numbered(folder / "checkpoints").values())[:-1]:
        shutil.rmtree(path)
    return folder


def copied(source: Path, scratch: Path, **files: bytes) -> Path:
    target = scratch / "run"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    for name, data in files.items():
        (target / name).write_bytes(data)
    return target


def read(folder: Path) -> None:
    """All that is read of a run before it goes on."""
    run = RunFolder(folder)
    config_from(run.about()["config"], TASKS.env_config)
    run.cut_back(2)


@fuzzed(40)
@given(data=st.data())
def test_run_json_edited(short, scratch, data):
    document = data.draw(edited(json.loads((short / "run.json").read_text())))
    folder = copied(short, scratch, **{"run.json": json.dumps(document).encode()})
    read_or_refuse(lambda: config_from(RunFolder(folder).about()["config"], TASKS.env_config), size=50_000)


@fuzzed(25)
@given(data=st.data(), whole=st.booleans())
def test_metrics_damaged(short, scratch, data, whole):
    lines = (short / "metrics.jsonl").read_bytes().splitlines(keepends=True)[:6]
    if whole:
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = json.dumps(data.draw(edited(json.loads(lines[at])))).encode() + b"\n"
        text = b"".join(lines)
    else:
        text = data.draw(damaged(b"".join(lines)))
    folder = copied(short, scratch, **{"metrics.jsonl": text})
    found = read_or_refuse(lambda: read(folder), size=50_000)
    if not isinstance(found, InputError) and data.draw(st.integers(0, 3)) == 0:
        figures.learning_curves(RunFolder(folder))


@fuzzed(25)
@given(data=st.data(), edit=st.booleans())
def test_checkpoints_damaged(short, scratch, data, edit):
    folder = copied(short, scratch)
    (found,) = checkpoint.numbered(folder / "checkpoints").values()
    if edit:
        meta = data.draw(edited(json.loads((found / "meta.json").read_text())))
        (found / "meta.json").write_text(json.dumps(meta))
    else:
        path = data.draw(st.sampled_from(sorted(p for p in found.rglob("*") if p.is_file())))
        path.write_bytes(data.draw(damaged(path.read_bytes())))

    def look() -> dict:
        about = RunFolder(folder).about()
        seen = checkpoint.find(found)
        checkpoint.check_run(seen, about["config"])
        return checkpoint.arrays_of(seen)

    read_or_refuse(look, seconds=30)


def refused(capsys, *words) -> str:
    with pytest.raises(SystemExit) as stopped:
        command(*words)
    line = capsys.readouterr().err
    assert stopped.value.code == 2 and line.startswith("error: ") and line.count("\n") == 1, line
    return line


RUNS = {
    "a list": ("[1]", "not an object"),
    "nested": ("[" * 100_000, "nested too deep"),
    "nested less": ('{"a":' * 200 + "1" + "}" * 200, "nested more than"),
    "no task": ('{"format": 1, "config": {}}', "no key 'task'"),
    "another version": ('{"format": 2, "config": {}, "task": "x"}', "'format' is 2, not 1"),
    "text for a mapping": ('{"format": 1, "config": "x", "task": "x"}', "'config' is 'x', not an object"),
    "not UTF-8": (b"\xff\xfe{}", "UTF-8"),
}


@pytest.mark.parametrize("case", RUNS)
@pytest.mark.parametrize("name", ["resume", "digest"])
def test_run_json_that_is_none(tmp_path, capsys, case, name):
    text, said = RUNS[case]
    (tmp_path / "run.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    line = refused(capsys, name, tmp_path)
    assert said in line and "run.json" in line


CONFIGS = {
    "text for a number": ({"n_envs": "many"}, "config.n_envs: expected"),
    "a key that is none": ({"n_env": 8}, "did you mean 'n_envs'"),
    "a huge number": ({"total_steps": 10**30}, "config.total_steps"),
    "no environment": ({"env": {"probe": 3}}, "probe"),
    "another task": ({"env": {"probe": "contextual"}}, "task is 'simplex'"),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_configuration_that_was_edited(short, scratch, capsys, case):
    change, said = CONFIGS[case]
    folder = copied(short, scratch)
    about = json.loads((folder / "run.json").read_text())
    about["config"] |= change
    (folder / "run.json").write_text(json.dumps(about))
    before = (folder / "metrics.jsonl").read_bytes()
    line = refused(capsys, "resume", folder)
    assert said in line and "run.json" in line
    assert (folder / "metrics.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 4: not JSON"),
        ("[1]", "not an object"),
        ('{"step": 1}', "'update' or 'step' is missing"),
        ('{"update": 1, "step": 48}', "update 1 comes after 3"),
        ('{"update": 4, "step": 5000, "loss/value": "nan"}', "'loss/value' is not a number"),
        ('{"update": 4, "step": ' + "1" * 30 + "}", "too large"),
        ("x" * (2 << 20), "longer than"),
    ],
)
def test_a_line_of_the_metrics_that_is_none(short, scratch, capsys, line, said):
    folder = copied(short, scratch)
    lines = (folder / "metrics.jsonl").read_text().splitlines(keepends=True)
    (folder / "metrics.jsonl").write_text("".join([*lines[:3], line + "\n", *lines[3:]]))
    told = refused(capsys, "resume", folder)
    assert said in told and "metrics.jsonl, line 4" in told


def test_metrics_that_were_torn(short, scratch):
    """A last line without its end goes; blank lines do not count; numbers that cannot be drawn are left out."""
    folder = copied(short, scratch)
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    odd = json.dumps({**json.loads(lines[1]), "episode/return": float("nan"), "loss/value": 1e300})
    (folder / "metrics.jsonl").write_text("\n".join([lines[0], "", odd, lines[2][:40]]))
    assert [line["update"] for line in RunFolder(folder).lines()] == [1, 2]
    assert figures.learning_curves(RunFolder(folder)) is not None
    (folder / "metrics.jsonl").write_text(
        '{"update": 1, "step": 1, "episode/return": 1.0}\n'
    )  # without the count of episodes
    assert figures.learning_curves(RunFolder(folder)) is None
    (folder / "metrics.jsonl").write_text("")
    assert figures.learning_curves(RunFolder(folder)) is None


def test_many_lines_take_little_memory(tmp_path):
    line = '{"update": %d, "step": %d, "episode/count": 1.0, "episode/return": 0.5, "vector": [' + "1, " * 300 + "1]}\n"
    (tmp_path / "metrics.jsonl").write_text("".join(line % (k, k) for k in range(1500)))
    tracemalloc.start()
    RunFolder(tmp_path).cut_back(1400)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 2 * peak < (tmp_path / "metrics.jsonl").stat().st_size


@pytest.mark.parametrize(
    "name", ["tensorboard", "checkpoints", "figures", "metrics.jsonl", "policy.npz", "evaluation.json"]
)
def test_what_stands_in_the_way_is_told_before_training(short, scratch, capsys, name):
    folder = copied(short, scratch)
    path = folder / name
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.mkdir() if "." in name else path.write_text("")
    assert f"{name}: is not a" in refused(capsys, "resume", folder)
    if name == "metrics.jsonl":
        path.rmdir()
        os.mkfifo(path)
        assert "is not a file" in refused(capsys, "resume", folder)


def test_a_state_that_was_edited_with_its_hashes(short, scratch):
    """Every file as meta.json says, and still another state than was saved."""
    folder = copied(short, scratch)
    (found,) = checkpoint.numbered(folder / "checkpoints").values()
    meta = json.loads((found / "meta.json").read_text())
    (found / "meta.json").write_text(json.dumps(meta | {"digest": "0" * 64}))
    with pytest.raises(InputError, match=r"not the one that meta\.json names"):
        checkpoint.arrays_of(checkpoint.find(found))
    (found / "meta.json").write_text(json.dumps(meta | {"update": 59}))
    with pytest.raises(InputError, match="another number of updates"):
        checkpoint.arrays_of(checkpoint.find(found))
    cut = {name: said for name, said in meta["files"].items() if not name.endswith("_METADATA")}
    for name in meta["files"].keys() - cut.keys():
        (found / "state" / name).unlink()
    (found / "meta.json").write_text(json.dumps(meta | {"files": cut}))
    assert isinstance(
        read_or_refuse(lambda: checkpoint.arrays_of(checkpoint.find(found)), seconds=30), InputError | dict
    )


def test_links_pipes_and_odd_names_among_checkpoints(short, scratch):
    folder = copied(short, scratch)
    place = folder / "checkpoints"
    (found,) = checkpoint.numbered(place).values()
    outside = scratch / "outside"
    outside.mkdir()
    (outside / "kept").write_text("x")
    (place / "00000070").symlink_to(outside)
    (place / "00000071").write_text("")
    (place / "00000072").symlink_to("00000072")  # itself
    (place / "7²").mkdir()
    assert [c.path for c in checkpoint.complete(place)] == [found]
    checkpoint.cut_back(place, 60)
    assert sorted(p.name for p in place.iterdir()) == [found.name, "7²"] and (outside / "kept").exists()
    os.mkfifo(found / "state" / "pipe")
    with pytest.raises(InputError, match="is a pipe"):
        checkpoint.find(found)
    (found / "state" / "pipe").unlink()
    (found / "state" / "link").symlink_to("/dev/zero")
    with pytest.raises(InputError, match="is a link"):
        checkpoint.find(found)


def with_rungs(sweep):
    """`by_formula` where trials may be pruned once."""
    play = by_formula(sweep)

    def with_one(job, played, done):
        done(job, played._replace(rows=[row | {"rungs": [0.5]} for row in played.rows]))

    return lambda jobs, past, done: play(jobs, past, lambda job, played: with_one(job, played, done))


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """(a sweep, the folder of it, played to its end by a formula)."""
    folder = tmp_path_factory.mktemp("sweep")
    sweep = loaded(folder, trials=8, prune={"at": [0.25]}, method="random")
    run_sweep(sweep, folder / "out", with_rungs(sweep))
    return sweep, folder / "out"


def going_on(sweep, folder: Path) -> None:
    """As the command does where everything was played before."""
    run_sweep(sweep, folder, lambda jobs, past, done: by_formula(sweep)(jobs, past, lambda *_: None))


@fuzzed(50)
@given(data=st.data())
def test_a_sweeps_table_spoilt(swept, scratch, data):
    sweep, source = swept
    frame = data.draw(spoilt_table(pl.read_parquet(source / "trials.parquet")))
    folder = copied(source, scratch, **{"trials.parquet": parquet(frame)})
    table = read_or_refuse(lambda: open_folder(folder, sweep), size=50_000)
    if not isinstance(table, InputError) and table.has(range(8)):
        points = [{key: table.frame[key][2 * trial] for key in sweep.space} for trial in range(8)]
        for point in points:
            point["net.hidden"] = json.loads(point["net.hidden"])
        past = read_or_refuse(lambda: table.past(0, points))
        if not isinstance(past, InputError):
            ranked = report.ranking(sweep, past, table.frame)
            assert report.markdown(sweep, past, ranked, report.importances(sweep, past))


@fuzzed(30)
@given(data=st.data(), name=st.sampled_from(("sweep.json", "trials.parquet")), edit=st.booleans())
def test_a_sweeps_files_damaged(swept, scratch, data, name, edit):
    sweep, source = swept
    if edit and name == "sweep.json":
        content = json.dumps(data.draw(edited(json.loads((source / name).read_text())))).encode()
    else:
        content = data.draw(damaged((source / name).read_bytes()))
    folder = copied(source, scratch, **{name: content})
    read_or_refuse(lambda: open_folder(folder, sweep), size=50_000)


def test_a_sweeps_folder_says_what_is_wrong(swept, scratch):
    sweep, source = swept
    frame = pl.read_parquet(source / "trials.parquet")
    for changed, said in (
        (frame.head(3), "not of all its seeds"),
        (frame.drop("status"), "no column 'status'"),
        (frame.with_columns(pl.lit("done").alias("status")), "status of trial 0"),
        (frame.with_columns(pl.lit(float("inf")).alias("value")), "not finite"),
        (frame.with_columns(trial=pl.col("trial") + 5), "none of this sweep's"),
        (frame.with_columns(rungs=pl.lit([1.0, 2.0], pl.List(pl.Float64))), "not 1 rungs"),
        (frame.with_columns(pl.lit(0.5).alias("algorithm.learning_rate")), "not what this sweep proposes"),
    ):
        folder = copied(source, scratch, **{"trials.parquet": parquet(changed)})
        with pytest.raises(InputError, match=said):
            going_on(sweep, folder)
    for name in ("figures", "programs.jsonl", "trials.parquet", "report.md"):
        folder = copied(source, scratch)
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.write_text("") if name == "figures" else path.mkdir()
        with pytest.raises(InputError, match=f"{name}: is not a"):
            open_folder(folder, sweep)


def test_a_line_of_programs_that_was_torn_stays_one(swept, scratch):
    sweep, source = swept
    folder = copied(source, scratch)
    (folder / "programs.jsonl").write_text('{"job": "tor')
    (folder / "trials.parquet").unlink()
    run_sweep(sweep, folder, with_rungs(sweep))
    lines = (folder / "programs.jsonl").read_text().splitlines()
    assert lines[0] == '{"job": "tor' and len(lines) > 1 and all("job" in json.loads(line) for line in lines[1:])


def test_cells_of_a_sweeps_report_keep_their_columns(tmp_path):
    space = {"algorithm.learning_rate": [0.01, 0.1], "net.hidden": [[8], [16]]}
    sweep = loaded(tmp_path, method="grid", trials=None, space=space)
    assert report._row(["a|b", "c\nd", "`|`"]) == r"| a\|b | c\nd | `\|` |"
    run_sweep(sweep, tmp_path / "out", by_formula(sweep))
    rows = [line for line in (tmp_path / "out" / "report.md").read_text().splitlines() if line.startswith("| ")]
    assert len({row.count("|") for row in rows}) == 1
