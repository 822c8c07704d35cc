"""Folders of backtests that people edited, cut or damaged: a report, or one line; and what was there before stays."""

import io
import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backtest.__main__ import main
from backtest.report import read, write_report
from lobjax.errors import InputError
from lobjax.results import load, style, summary
from lobjax.results.report import detail
from lobjax.tasks import known_measures
from tests.backtest import folders
from tests.fuzzing import damaged, edited, fuzzed, read_or_refuse, spoilt
from tests.spoilt_tables import parquet, spoilt_table

ODD_NAMES = (
    "$x_{1$", "a$b", r"\frac{", "_hidden", "a^b_{c}", "<script>alert(1)</script>", '"&amp;', "[bold]x[/]", "[/]", "a|b", "tab\there",
    "line\nend", "\x1b[31m", "שלום", "عربى", "中文", "😀", "\u202eturned", "x" * 190, "{}", "%s", "players", " ",
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, Path]:
    """A folder of each kind."""
    place = tmp_path_factory.mktemp("whole")
    return {kind: folders.write(place / kind, kind) for kind in folders.KINDS}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture
def quickly(monkeypatch):
    """Figures are drawn small: what breaks them does so at any size."""

    def small(figure) -> bytes:
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=20)
        return file.getvalue()

    monkeypatch.setattr(style, "png", small)


def copied(source: Path, scratch: Path, **files: bytes) -> Path:
    """A folder like `source` in the same place each time, with other files."""
    target = scratch / "backtest"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target)
    for name, data in files.items():
        (target / name.replace("__", ".")).write_bytes(data)
    return target


def reported(folder: Path) -> None:
    """Read it; what is accepted can also be drawn and told."""
    found = read_or_refuse(lambda: read(folder), size=sum(p.stat().st_size for p in folder.iterdir()))
    if not isinstance(found, InputError):
        read_or_refuse(lambda: write_report(folder), seconds=60)
        assert summary(found.comparison)


def arrays_file(arrays: dict) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


@pytest.mark.parametrize("kind", folders.KINDS)
def test_a_whole_folder_gives_a_report(whole, scratch, kind):
    folder = copied(whole[kind], scratch)
    assert write_report(folder).read_text().count("data:image/png") == len(list((folder / "figures").iterdir()))


@fuzzed(70)
@given(
    data=st.data(),
    kind=st.sampled_from(folders.KINDS),
    name=st.sampled_from(("run.json", "evaluation.json", "training.json")),
)
def test_json_edited(whole, scratch, data, kind, name):
    name = "evaluation.json" if name == "training.json" and kind != "snapshot" else name
    document = data.draw(edited(json.loads((whole[kind] / name).read_text())))
    folder = copied(whole[kind], scratch, **{name: json.dumps(document).encode()})
    read_or_refuse(lambda: read(folder), size=200_000)


@fuzzed(60)
@given(data=st.data(), kind=st.sampled_from(folders.KINDS), name=st.sampled_from(("episodes.parquet", "paths.parquet")))
def test_tables_spoilt(whole, scratch, data, kind, name):
    frame = data.draw(spoilt_table(pl.read_parquet(whole[kind] / name)))
    folder = copied(whole[kind], scratch, **{name: parquet(frame)})
    read_or_refuse(lambda: read(folder), size=200_000)


@fuzzed(60)
@given(data=st.data(), kind=st.sampled_from(("execution", "snapshot")))
def test_arrays_spoilt(whole, scratch, data, kind):
    name = "snapshots.npz" if kind == "snapshot" else "trace.npz"
    with np.load(whole[kind] / name) as archive:
        arrays = dict(archive)
    key = data.draw(st.sampled_from(sorted(arrays)))
    if data.draw(st.integers(0, 4)) == 0:
        arrays[data.draw(st.sampled_from(("other", "position_lots.x")))] = arrays.pop(key)
    else:
        arrays[key] = data.draw(spoilt(arrays[key]))
    folder = copied(whole[kind], scratch, **{name: arrays_file(arrays)})
    read_or_refuse(lambda: read(folder), size=200_000)


@fuzzed(60)
@given(data=st.data(), kind=st.sampled_from(folders.KINDS))
def test_bytes_damaged(whole, scratch, data, kind):
    path = data.draw(st.sampled_from(sorted(p for p in whole[kind].iterdir() if p.is_file())))
    folder = copied(whole[kind], scratch, **{path.name: data.draw(damaged(path.read_bytes()))})
    read_or_refuse(lambda: read(folder), size=200_000)


@fuzzed(8)
@given(data=st.data(), kind=st.sampled_from(folders.KINDS))
def test_what_is_accepted_can_be_drawn(whole, scratch, quickly, data, kind):
    """Faults that leave every file readable by itself: numbers at the ends of what is allowed."""
    name = data.draw(
        st.sampled_from(("episodes.parquet", "paths.parquet", "snapshots.npz" if kind == "snapshot" else "trace.npz"))
    )
    extreme = data.draw(st.sampled_from((0, 1e12 - 1e6, -1e12 + 1e6, 2**31 - 1, -(2**31), 1e-300, 1e18, -1e18)))
    if name.endswith(".npz"):
        with np.load(whole[kind] / name) as archive:
            arrays = {k: np.array(v) for k, v in archive.items()}
        key = data.draw(st.sampled_from(sorted(k for k, v in arrays.items() if v.ndim > 1 or v.dtype.kind in "iu")))
        limit = np.iinfo(arrays[key].dtype) if arrays[key].dtype.kind in "iu" else None
        flat = arrays[key].reshape(-1)
        flat[:: data.draw(st.integers(1, 3))] = np.clip(extreme, limit.min, limit.max - 600) if limit else extreme
        content = arrays_file(arrays)
    else:
        frame = pl.read_parquet(whole[kind] / name)
        key = data.draw(st.sampled_from([k for k in frame.columns if frame[k].dtype.is_float()]))
        every = data.draw(st.integers(1, 3))
        values = [float(np.float32(extreme)) if i % every == 0 else v for i, v in enumerate(frame[key].to_list())]
        content = parquet(frame.with_columns(pl.Series(key, values, frame[key].dtype)))
    reported(copied(whole[kind], scratch, **{name: content}))


@pytest.mark.parametrize("kind", ["execution", "snapshot"])
def test_names_are_shown_as_they_are(scratch, quickly, kind, capsys):
    """No mathematics, no markup, no missing glyph, in figures, page and table."""
    target = scratch / f"names-{kind}"
    shutil.rmtree(target, ignore_errors=True)
    names = ODD_NAMES[::2] if kind == "execution" else ODD_NAMES[1::2]
    write_report(folders.write(target, kind, names))
    text = (target / "report.html").read_text()
    assert "<script" not in text and not set("\x1b\u202e") & set(text)
    assert ("$x_{1$" in text) == (kind == "execution") and ("&lt;script&gt;alert(1)" in text) == (kind == "snapshot")
    from lobjax.results import show

    show(load(target, known_measures()))
    said = capsys.readouterr().out
    assert "\x1b" not in said and ("[/]" if "[/]" in names else "[bold]x[/]") in said


def test_a_name_in_a_figure():
    assert style.shown("twap") == "twap" and style.shown("$a$") == r"\$a\$" and style.shown("_x") == " _x"
    assert style.shown("a\nb") == r"a\nb" and style.shown("中") == r"\u4e2d" and len(style.shown("x" * 500)) == 32


CASES = {
    "no players": ("evaluation.json", {"players": {}}, "has 0 players"),
    "another task": ("evaluation.json", {"task": "snapshot"}, "headline"),
    "an unknown task": ("evaluation.json", {"task": "executon"}, "did you mean 'execution'"),
    "an unknown headline": ("evaluation.json", {"headline": "shortfall"}, "did you mean 'shortfall_ticks'"),
    "text for a number": (
        "evaluation.json",
        {"episodes": {"count": "6", "seed": 1, "starts": False}},
        "'episodes.count' is '6'",
    ),
    "another count": (
        "evaluation.json",
        {"episodes": {"count": 7, "seed": 1, "starts": False}},
        "evaluation.json says 7",
    ),
    "another first": ("evaluation.json", {"first": "twap"}, "players compared"),
    "config of another task": ("run.json", {"task": "market_making"}, "its configuration's execution"),
    "an unknown key": ("run.json", {"backtest": {"enw": {}}}, "did you mean 'env'"),
    "another version": ("run.json", {"format": 2}, "'format' is 2, not 1"),
    "an episode beyond": ("run.json", {"detail": {"episode": 6, "same_as_table": True}}, "names episode 6 of 6"),
    "versions of numbers": ("run.json", {"versions": {"jax": 1}}, "'versions.jax' is 1, not text"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_line_says_what_is_wrong(whole, scratch, capsys, case):
    name, change, said = CASES[case]
    folder = copied(whole["execution"], scratch)
    (folder / "report.html").write_text("old")
    (folder / name).write_text(json.dumps(json.loads((folder / name).read_text()) | change))
    with pytest.raises(SystemExit) as stopped:
        main(["report", str(folder)])
    line = capsys.readouterr().err
    assert stopped.value.code == 2 and line.count("\n") == 1 and said in line and name in line
    assert (folder / "report.html").read_text() == "old" and not (folder / "figures").exists()


@pytest.mark.parametrize(
    "text", ["[" * 100_000, "[]", "", "{", '{"format": NaN}', '{"a": "\\ud800"}', '{"a":' * 100 + "1" + "}" * 100]
)
@pytest.mark.parametrize("name", ["run.json", "evaluation.json"])
def test_json_that_is_none(whole, scratch, name, text):
    with pytest.raises(InputError, match=name):
        read(copied(whole["execution"], scratch, **{name: text.encode()}))


def test_tables_that_disagree(whole, scratch):
    source = whole["execution"]
    frame = pl.read_parquet(source / "episodes.parquet")
    for changed, said in (
        (frame.head(0), "has no rows"),
        (frame.reverse(), "in order"),
        (frame.head(9), "has 3 episodes"),
        (frame.with_columns(pl.col("player").replace("twap", "vwap")), "twap"),
        (frame.drop("fees_ticks"), "no column 'fees_ticks'"),
        (frame.with_columns(pl.col("fees_ticks").cast(pl.String)), "'fees_ticks' is String"),
        (frame.with_columns(pl.lit(float("nan")).alias("fees_ticks")), "no figure can be"),
    ):
        with pytest.raises(InputError, match=said):
            read(copied(source, scratch, **{"episodes.parquet": parquet(changed)}))


def test_when_drawing_fails_the_old_report_stays(whole, scratch, monkeypatch):
    folder = copied(whole["execution"], scratch)
    write_report(folder)
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    def fail(*_):
        raise InputError("no")

    monkeypatch.setattr(detail, "depth_map", fail)
    with pytest.raises(InputError):
        write_report(folder)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
