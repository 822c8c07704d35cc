"""Reading files from outside: the one place that opens them, and the one that says in a line what is wrong with them.

A file is opened only if it is a regular file (not a folder, a pipe or a device, which might wait for ever) of a stated size at most.
What is parsed from it is bounded as well: nested JSON, arrays whose header declares more than the archive holds, tables that expand
without bound. Whatever a parser then raises becomes one InputError that names the file and says what to do.
"""

import ast
import io
import json
import math
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from lobjax.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

MiB = 1 << 20
MOST_TEXT = 64 * MiB  # of JSON and the like
MOST_ARRAYS = 8 << 30  # of an .npz, unpacked
EXPANDS = 1200  # bytes of memory that a byte of a packed file may become: deflate reaches 1032
ROOM = 64 * MiB  # and what any file may take, however small

# What parsers raise on bytes that are not what they read: zipfile RuntimeError for a password, NotImplementedError for an unknown method.
_PARSING = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, EOFError, OverflowError, RecursionError, MemoryError, RuntimeError,
    SyntaxError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@contextmanager
def parsing(path: Any, what: str, advice: str) -> Iterator[None]:
    """Whatever is raised meanwhile becomes an InputError: `path: not `what` (why); `advice``. InputErrors pass.

    Only parsing belongs under it: a fault of the program in there would be called a fault of the file.
    """
    try:
        yield
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({_reason(error)}); {advice}") from None
    except _PARSING as error:
        raise InputError(f"{path}: not {what} ({_reason(error)}); {advice}") from None
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("polars", "pyarrow", "yaml"):
            raise
        raise InputError(f"{path}: not {what} ({_reason(error)}); {advice}") from None


@contextmanager
def opened(
    path: str | Path, *, most: int | None = None, what: str = "file", advice: str = "check the path"
) -> Iterator[IO[bytes]]:
    """A regular file as a binary stream; InputError where there is none, it cannot be read, or holds more than `most` bytes.

    `what` it is and the `advice` are words of the error. Nothing that is done with the stream is guarded: see `parsing`.
    """
    descriptor = _descriptor(path, what, advice)
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{path}: is a {_kind(found.st_mode)}, not a file; {advice}")
        if most is not None and found.st_size > most:
            raise InputError(f"{path}: holds {found.st_size:,} bytes, more than {most:,}; {advice}")
        os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as stream:
        yield stream


def is_file(path: str | Path) -> bool:
    """Whether a regular file is there; False too for a name that no file can have."""
    return os.path.isfile(path)


def exists(path: str | Path) -> bool:
    """Whether anything is there; False too for a name that no file can have. (`Path.exists` raises on one that is too long.)"""
    return os.path.exists(path)


def read_bytes(path: str | Path, *, most: int = MOST_TEXT, what: str = "file", advice: str = "check the path") -> bytes:
    """A whole file; InputError as `opened`."""
    with opened(path, most=most, what=what, advice=advice) as stream, parsing(path, "a file that can be read", advice):
        data = stream.read(most + 1)  # some files, as those of /proc, do not tell their size
    if len(data) > most:
        raise InputError(f"{path}: holds more than {most:,} bytes; {advice}")
    return data


def read_text(path: str | Path, *, most: int = MOST_TEXT, what: str = "file", advice: str = "check the path") -> str:
    """A whole file of UTF-8, with or without a byte-order mark; InputError as `opened`, and where it is another encoding."""
    data = read_bytes(path, most=most, what=what, advice=advice)
    with parsing(path, "text in UTF-8", advice):
        return data.decode("utf-8-sig")


def read_json(
    path: str | Path, *, most: int = MOST_TEXT, what: str = "file", advice: str = "check the path"
) -> dict[str, Any]:
    """A file that holds one JSON object; InputError as `read_text`, and where it is not that or is nested too deep."""
    text = read_text(path, most=most, what=what, advice=advice)
    with parsing(path, "JSON", advice):
        found = json.loads(text)
    if not isinstance(found, dict):
        raise InputError(f"{path}: holds a JSON {type(found).__name__}, not an object; {advice}")
    return found


def read_npz(path: str | Path, *, most: int = MOST_ARRAYS, advice: str = "write it again") -> dict[str, "np.ndarray"]:
    """The arrays of an .npz, by name; InputError where it is none, is damaged, or would take more than `most` bytes of memory.

    The headers are read first: an array that declares more bytes than its member holds is never allocated. No pickles.
    """
    with opened(path, advice=advice) as stream, parsing(path, "a whole .npz file", advice):
        limit = min(most, ROOM + EXPANDS * os.fstat(stream.fileno()).st_size)
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            if len(members) > 65_536 or len({member.filename for member in members}) < len(members):
                raise ValueError("members that stand twice, or too many")
            total = 0
            for member in members:
                total += _declared(archive, member)
                if total > limit:
                    raise ValueError(f"its arrays take more than {limit:,} bytes")
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}


def read_table(
    path: str | Path,
    columns: Mapping[str, Any] | None = None,
    *,
    most_rows: int = 1 << 31,
    most: int = MOST_ARRAYS,
    advice: str = "write it again",
) -> "pl.DataFrame":
    """A Parquet file; InputError where it is none or damaged, takes more than `most` bytes, or has not `columns`.

    `columns`: the Polars type of each, which must all be there, of that type and without nulls. Others are left out; None takes all.
    """
    import polars as pl  # not for those who read no tables
    import pyarrow.parquet as pq

    with opened(path, advice=advice) as stream, parsing(path, "a whole Parquet file", advice):
        size = os.fstat(stream.fileno()).st_size
        about = pq.read_metadata(stream)
        unpacked = sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups))
        if not 0 <= about.num_rows <= most_rows or max(unpacked, 8 * about.num_rows) > min(most, ROOM + EXPANDS * size):
            raise ValueError(f"{about.num_rows:,} rows of {about.num_columns} columns in {size:,} bytes")
        stream.seek(0)
        frame = pl.read_parquet(io.BytesIO(stream.read()), columns=None if columns is None else _known(about, columns))
    for name, dtype in (columns or {}).items():
        if name not in frame.columns:
            raise InputError(f"{path}: has no column '{name}'; {advice}")
        if frame[name].dtype != dtype:
            raise InputError(f"{path}: column '{name}' is {frame[name].dtype}, not {dtype}; {advice}")
        if frame[name].null_count():
            raise InputError(f"{path}: column '{name}' has nulls; {advice}")
    return frame


def _known(about: Any, columns: Iterable[str]) -> list[str]:
    present = set(about.schema.to_arrow_schema().names)
    return [name for name in columns if name in present]


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> "np.ndarray":
    import numpy as np  # not for those who read no arrays

    with archive.open(member) as stream:
        return np.lib.format.read_array(stream, allow_pickle=False, max_header_size=1 << 16)


def _declared(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> int:
    """Bytes of an array, from its header; ValueError where the member does not hold just as many."""
    import numpy as np

    with archive.open(member) as stream:
        version = np.lib.format.read_magic(stream)
        length = "<H" if version == (1, 0) else "<I"
        size = struct.unpack(length, stream.read(struct.calcsize(length)))[0]
        if size > 1 << 16:
            raise ValueError(f"a header of {size:,} bytes")
        header = ast.literal_eval(stream.read(size).decode("latin1" if version < (3, 0) else "utf-8"))
        shape, dtype = tuple(header["shape"]), np.lib.format.descr_to_dtype(header["descr"])
        if any(type(n) is not int or n < 0 for n in shape) or dtype.hasobject:
            raise ValueError("an array of objects, or of a shape that none can have")
        declared, held = math.prod(shape) * dtype.itemsize, member.file_size - stream.tell()
    if declared != held:
        raise ValueError(f"{member.filename} declares {declared:,} bytes and holds {held:,}")
    return declared


def _descriptor(path: str | Path, what: str, advice: str) -> int:
    try:
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe without a writer would wait
    except FileNotFoundError:
        raise InputError(f"{path}: no such {what}; {advice}") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null byte
        raise InputError(f"{_short(path)}: cannot be opened ({_reason(error)}); {advice}") from None


def _short(path: str | Path) -> str:
    name = str(path)
    return name if len(name) <= 300 else f"{name[:140]}...{name[-140:]}"


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
    return next((name for test, name in kinds if test(mode)), "device")


def _reason(error: BaseException) -> str:
    """What an exception says, in a line that is not too long."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, RecursionError):
        return "nested too deep"
    if isinstance(error, MemoryError):
        return "it asks for more memory than there is"
    said = " ".join(str(error).split())
    if isinstance(error, KeyError):
        said = f"without {said}"
    return said[:200] or type(error).__name__
