"""Archives of LOBSTER and Databento files: passwords, methods, bombs, members of odd names, parts cut off or added."""

import gzip
import io
import struct
import zipfile
import zlib

import pyarrow as pa
import pytest

from lobjax.data import build_day
from lobjax.errors import InputError
from tests.data.synthetic_mbo import write_file
from tests.fuzzing import read_or_refuse
from tests.reading.readers import MESSAGE, ORDERS, ROWS

TEXT = ("\n".join(ROWS[0]) + "\n").encode()
LINE = b"34200.0,7,0,0,-1,-1\n"  # of a halt: a row that is well read as often as it comes


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return data.getvalue()


def with_header(data: bytes, at: int, form: str, value: int) -> bytes:
    """A zip of one member with a field of its header changed, in the local header and in the directory."""
    changed = bytearray(data)
    for signature, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        struct.pack_into(form, changed, data.index(signature) + at + shift, value)
    return bytes(changed)


@pytest.fixture(scope="module", autouse=True)
def compiled(tmp_path_factory) -> None:
    """What Numba compiles is in no test's time."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "day.zip").write_bytes(zipped({MESSAGE: TEXT}))
    build_day(folder / "day.zip")
    build_day(write_file(folder / "day.dbn", ORDERS))


def refusal(tmp_path, name: str, data: bytes) -> str:
    (tmp_path / name).write_bytes(data)
    found = read_or_refuse(
        lambda: build_day(tmp_path / name), size=len(data), seconds=20
    )  # counting memory takes most of it
    assert isinstance(found, InputError), found
    return str(found)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_every_method_that_unpacks_in_pieces_is_read(tmp_path, method):
    (tmp_path / "day.zip").write_bytes(zipped({MESSAGE: TEXT, "__MACOSX/._" + MESSAGE: b"x"}, method))
    assert build_day(tmp_path / "day.zip").info.rows == len(ROWS[0])


def test_zips_that_cannot_be_unpacked(tmp_path):
    whole = zipped({MESSAGE: TEXT})
    end = whole.index(b"PK\x05\x06")
    cases = {
        "password": (with_header(whole, 6, "<H", 1), "is encrypted, password required"),
        "deflate64": (with_header(whole, 8, "<H", 9), "packed by the method deflate64"),
        "unknown method": (with_header(whole, 8, "<H", 77), "packed by the method 77"),
        "sum": (with_header(whole, 14, "<I", 1), "Bad CRC-32"),
        "cut directory": (whole[: end - 5], "not an archive that can be unpacked"),
        "cut": (whole[:200], "not an archive that can be unpacked"),
        "damaged lzma": (_spoilt(zipped({MESSAGE: TEXT}, zipfile.ZIP_LZMA)), "not an archive that can be unpacked"),
        "bzip2": (zipped({MESSAGE: bytes(80 << 20)}, zipfile.ZIP_BZIP2), "packed by the method bzip2"),
        "zip in zip": (zipped({"day.zip": whole}), "holds 0 message"),
        "empty": (zipped({}), "holds 0 message"),
        "folder": (zipped({MESSAGE + "/": b""}), "holds 0 message"),
        "two": (zipped({"a/" + MESSAGE: TEXT, "b/" + MESSAGE: TEXT}), "holds 2 message"),
    }
    for name, (data, words) in cases.items():
        said = refusal(tmp_path, "day.zip", data)
        assert words in said and said.startswith(str(tmp_path / "day.zip")), (name, said)


def test_a_book_of_many_levels_packs_well(tmp_path):
    """Fifty levels, of which hardly one changes: a hundred times smaller, and no bomb."""
    row = ",".join(f"{10_000 + 100 * at},7,{9_900 - 100 * at},7" for at in range(90))
    messages = [f"34200.{at:05d},7,0,0,-1,-1" for at in range(12_000)]
    messages[0] = "34200.0,1,1,7,10000,-1"
    for name, lines in ((MESSAGE, messages), (MESSAGE.replace("message_2", "orderbook_90"), [row] * len(messages))):
        (tmp_path / (name.replace("message_2", "message_90") + ".gz")).write_bytes(
            gzip.compress("\n".join(lines).encode())
        )
    day = build_day(tmp_path / (MESSAGE.replace("message_2", "message_90") + ".gz"))
    assert day.info.levels == 90 and day.info.book == "rows"


def test_a_name_that_tells_of_more_levels_than_memory_has(tmp_path):
    path = tmp_path / MESSAGE.replace("message_2", "message_99999999999")
    path.write_bytes(TEXT)
    with pytest.raises(InputError, match="levels 99999999999; give a whole number, 1 to 100,000"):
        build_day(path)
    for wrong in ({"levels": 10**9}, {"margin": 10**12}, {"tick_size": 2**40}, {"levels": 1.5}, {"margin": -1}):
        with pytest.raises(InputError, match="give a whole number"):
            build_day(path, **wrong)


def _spoilt(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02") // 2
    return data[:at] + bytes(40) + data[at + 40 :]


def test_a_member_that_stands_twice_is_refused(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr(MESSAGE, TEXT)
        archive.writestr(MESSAGE, TEXT)
    assert "holds 2 message" in refusal(tmp_path, "day.zip", data.getvalue())


@pytest.mark.parametrize("name", ["../../etc/" + MESSAGE, "/etc/" + MESSAGE, "C:\\" + MESSAGE, "é/" + MESSAGE])
def test_names_of_members_lead_nowhere(tmp_path, name):
    """Nothing is unpacked to a file, so that a member may be called what it likes."""
    (tmp_path / "day.zip").write_bytes(zipped({name: TEXT}))
    assert build_day(tmp_path / "day.zip").info.rows == len(ROWS[0])
    assert [entry.name for entry in tmp_path.iterdir()] == ["day.zip"]


@pytest.mark.parametrize(
    ("content", "why"),
    [(bytes(60 << 20), "holds NUL bytes"), (LINE * 3_000_000, "unpacks to more than")],
    ids=["zeros", "rows"],
)
def test_bombs(tmp_path, content, why):
    for name, data in ((f"{MESSAGE}.gz", gzip.compress(content)), ("day.zip", zipped({MESSAGE: content}))):
        assert len(data) < 4 << 20
        said = refusal(tmp_path, name, data)
        assert why in said
        (tmp_path / name).unlink()


def test_gzips_that_cannot_be_unpacked(tmp_path):
    whole = gzip.compress(TEXT)
    name = MESSAGE + ".gz"
    for data in (
        whole + b"garbage",
        whole[:-4],
        whole[:20],
        whole[:-8] + bytes(8),
        b"\x1f\x8b\x09" + whole[3:],
        TEXT,
        zlib.compress(TEXT),
        b"\x1f",
    ):
        refusal(tmp_path, name, data)
    for data in (
        whole + bytes(100),
        gzip.compress(TEXT[:500]) + gzip.compress(TEXT[500:]),
    ):  # padding, and several members: read
        (tmp_path / name).write_bytes(data)
        assert build_day(tmp_path / name).info.rows == len(ROWS[0])


def test_databento_files(tmp_path):
    plain = write_file(tmp_path / "day.dbn", ORDERS).read_bytes()
    packed = pa.compress(plain, codec="zstd", asbytes=True)
    metadata = struct.unpack_from("<I", plain, 4)[0] + 8
    cases = {
        "length 0": plain[:metadata] + b"\0" + plain[metadata + 1 :],
        "length 1": plain[:metadata] + b"\1" + plain[metadata + 1 :],
        "length 255": plain[:metadata] + b"\xff" + plain[metadata + 1 :],
        "version 0": plain[:3] + b"\0" + plain[4:],
        "version 99": plain[:3] + b"\x63" + plain[4:],
        "long metadata": plain[:4] + b"\xff\xff\xff\xff" + plain[8:],
        "no metadata": plain[:4] + b"\0\0\0\0" + plain[8:],
        "magic only": b"DBN",
        "captured never": plain[: metadata + 40] + b"\xff" * 8 + plain[metadata + 48 :],
    }
    for name, data in cases.items():
        said = refusal(tmp_path, "day.dbn", data)
        assert str(tmp_path / "day.dbn") in said, name
    for data in (packed[:-4], packed + b"garbage", pa.compress(bytes(60 << 20), codec="zstd", asbytes=True), plain):
        refusal(tmp_path, "day.dbn.zst", data)
    bomb = pa.compress(plain[:metadata] + plain[metadata : metadata + 56] * 1_000_000, codec="zstd", asbytes=True)
    assert "unpacks to more than" in refusal(tmp_path, "day.dbn.zst", bomb) and len(bomb) < 1 << 20
