"""Arrays and tables that declare what they do not hold: refused before anything of that size is allocated."""

import io
import struct
import zipfile

import numpy as np
import polars as pl
import pytest

from lobjax.errors import InputError
from lobjax.reading import read_npz, read_table
from tests.fuzzing import read_or_refuse


def npz(path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def array(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode()
    return b"\x93NUMPY" + version + struct.pack("<H" if version[0] == 1 else "<I", len(text)) + text + data


def test_what_numpy_writes_comes_back(tmp_path):
    given = {
        "c": np.arange(6).reshape(2, 3), "f": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "scalar": np.float32(3),
        "text": np.array("hé"),
        "empty": np.zeros((0, 5), np.int32), "bytes": np.array([b"a", b"bc"]), "big": np.arange(3, dtype=">i4"), "bool": np.array([True]),
        "complex": np.array([1j]), "F16": np.ones(2, np.float16), "name": np.arange(0),
    }  # fmt: skip
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **given)
        found = read_npz(tmp_path / "a.npz")
        assert found.keys() == given.keys()
        for name, value in given.items():
            assert (
                found[name].dtype == value.dtype
                and np.array_equal(found[name], value)
                and found[name].shape == value.shape
            )
    assert read_npz(tmp_path / "a.npz", ["c", "gone"]).keys() == {"c"} and found["c"].flags.writeable


HEADERS = {
    "terabytes": (
        "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 3), }",
        "declares 26,388,279,066,624 bytes and holds 8",
    ),
    "no bytes of many": (
        "{'descr': '<U0', 'fortran_order': False, 'shape': (4611686018427387904,), }",
        "declares 0 bytes and holds 8",
    ),
    "objects": ("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", ""),
    "records": (
        "{'descr': [('a', '<i4'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,), }",
        "objects or records",
    ),
    "times": ("{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (1,), }", ""),
    "negative": ("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", ""),
    "fraction": ("{'descr': '<f8', 'fortran_order': False, 'shape': (1.0,), }", ""),
    "no type": ("{'descr': '<q9', 'fortran_order': False, 'shape': (1,), }", ""),
    "wide type": ("{'descr': '<U999999999', 'fortran_order': False, 'shape': (1,), }", ""),
    "code": ("__import__('os').system('touch ran')", "a header that is none"),
    "deep": ("(" * 9000, "a header that is none"),
    "nothing": ("", "a header that is none"),
    "long": ("{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }" + " " * 20_000, "a header of"),
    "digits": ("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "9" * 5000 + ",), }", ""),
    "dimensions": ("{'descr': '<f8', 'fortran_order': False, 'shape': (" + "1," * 900 + "), }", ""),
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    header, words = HEADERS[name]
    npz(tmp_path / "a.npz", {"a.npy": array(header, bytes(8))})
    found = read_or_refuse(lambda: read_npz(tmp_path / "a.npz"), size=1000)
    assert isinstance(found, InputError) and words in str(found) and not (tmp_path / "ran").exists(), found


def test_empty_arrays_of_lengths_beyond_memory(tmp_path):
    npz(
        tmp_path / "a.npz",
        {"a.npy": array("{'descr': '<i4', 'fortran_order': False, 'shape': (1099511627776, 0, 2), }")},
    )
    with pytest.raises(InputError, match="would take the arrays beyond"):
        read_npz(tmp_path / "a.npz")


def test_archives_that_are_none(tmp_path):
    whole = io.BytesIO()
    np.savez_compressed(whole, a=np.random.default_rng(0).normal(size=999))
    data = whole.getvalue()
    bare = io.BytesIO()
    np.save(bare, np.zeros(3))
    path = tmp_path / "a.npz"
    for content, words in (
        (bare.getvalue(), "it is one bare array, an .npy"),
        (b"", "not a whole .npz file"),
        (data[:-30], "not a whole .npz file"),
        (data[:500] + bytes(60) + data[560:], "not a whole .npz file"),
    ):
        path.write_bytes(content)
        found = read_or_refuse(lambda: read_npz(path))
        assert isinstance(found, InputError) and words in str(found)
    npz(path, {"a.txt": b"hello"})
    with pytest.raises(InputError, match="a member that is no array"):
        read_npz(path)
    with zipfile.ZipFile(path, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.npy", bare.getvalue())
        archive.writestr("a.npy", bare.getvalue())
    with pytest.raises(InputError, match="stand twice"):
        read_npz(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_of_arrays(tmp_path, method):
    zeros = array(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({80 << 20},), }}", bytes(80 << 20))
    npz(tmp_path / "a.npz", {"a.npy": zeros}, method)
    size = (tmp_path / "a.npz").stat().st_size
    found = read_or_refuse(lambda: read_npz(tmp_path / "a.npz"), size=size, seconds=20)
    assert isinstance(found, InputError) == ((64 << 20) + 1200 * size < 80 << 20)


def test_tables(tmp_path):
    path = tmp_path / "t.parquet"
    frame = pl.DataFrame(
        {
            "a": [1, None, 3],
            "s": ["x", None, "é"],
            "f": [1.0, float("nan"), None],
            "c": pl.Series(["u", "v", "u"], dtype=pl.Categorical),
        }
    )
    frame.write_parquet(path)
    assert read_table(path).equals(frame.with_columns(pl.col("c").cast(pl.String)))
    for columns, words in (
        ({"a": pl.Int64}, "column 'a' has nulls"),
        ({"z": pl.Int64}, "has no column 'z'"),
        ({"s": pl.Int64}, "column 's' is String, not Int64"),
        ({"c": pl.Int32}, "column 'c' is String"),
    ):
        with pytest.raises(InputError, match=words):
            read_table(path, columns)
    pl.DataFrame({"l": [[1], [2]]}).write_parquet(path)
    with pytest.raises(InputError, match="holds lists or records"):
        read_table(path)


def test_tables_that_expand_without_bound(tmp_path):
    path = tmp_path / "t.parquet"
    pl.DataFrame({"n": pl.zeros(20_000_000, pl.Int64, eager=True)}).write_parquet(path)
    pl.DataFrame({"s": pl.Series(["y" * 1000] * 200_000)}).write_parquet(tmp_path / "s.parquet")
    for file, words in ((path, "20,000,000 rows of 1 columns"), (tmp_path / "s.parquet", "its texts take more than")):
        assert file.stat().st_size < 70_000
        found = read_or_refuse(lambda file=file: read_table(file), size=file.stat().st_size)
        assert isinstance(found, InputError) and words in str(found)
