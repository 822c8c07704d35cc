"""Arrays from .npz files. Headers are read by patterns, not evaluated; nothing is allocated that the archive does not hold."""

import math
import re
import struct
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, TYPE_CHECKING, Literal

from lobjax.reading.files import opened
from lobjax.reading.parsing import parsing
from lobjax.reading.unpacking import MOST_ARRAYS, check_method, most_for

if TYPE_CHECKING:
    import numpy as np

_MAGIC = b"\x93NUMPY"
_MOST_MEMBERS = 65_536
_MOST_HEADER = 10_000
_KINDS = "biufcSUV"  # no pickled objects; times are written as numbers here
_CHUNK = 1 << 20
_DTYPE = re.compile(r"""['"]descr['"]\s*:\s*['"]([<>|=]?[A-Za-z]\d{0,9})['"]""")
_ORDER = re.compile(r"""['"]fortran_order['"]\s*:\s*(True|False)""")
_SHAPE = re.compile(r"""['"]shape['"]\s*:\s*\(([\d\s,L]*)\)""")


def read_npz(
    path: str | Path,
    names: Collection[str] | None = None,
    *,
    most: int = MOST_ARRAYS,
    advice: str = "write it again",
) -> dict[str, "np.ndarray"]:
    """The arrays of an .npz, by name: all, or those of `names` that are there, the others not looked at.

    InputError where it is none, is damaged, holds objects or records, or would take more memory than `most` or a file of its size may.
    """
    with opened(path, advice=advice) as stream, parsing(path, "a whole .npz file", advice):
        if stream.read(len(_MAGIC)) == _MAGIC:
            raise ValueError("it is one bare array, an .npy")
        limit = most_for(stream, most)
        with zipfile.ZipFile(stream) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS or len({member.filename for member in members}) < len(members):
                raise ValueError("members that stand twice, or too many")
            found = {}
            for member in members:
                name = member.filename.removesuffix(".npy")
                if names is not None and name not in names:
                    continue
                check_method(member)
                with archive.open(member) as packed:
                    found[name] = _array(packed, member, limit)
                limit -= found[name].nbytes
            return found


def _array(stream: IO[bytes], member: zipfile.ZipInfo, limit: int) -> "np.ndarray":
    import numpy as np  # not for those who read no arrays

    dtype, order, shape, header = _header(stream)
    declared, held = math.prod(shape) * dtype.itemsize, member.file_size - header
    if declared != held:
        raise ValueError(f"'{member.filename}' declares {declared:,} bytes and holds {held:,}")
    # Counted without what makes it empty: others might be made of its other lengths.
    if math.prod(max(1, length) for length in shape) * max(1, dtype.itemsize) > limit:
        raise ValueError(f"'{member.filename}' would take the arrays beyond {limit:,} bytes")
    data = bytearray()
    while chunk := stream.read(_CHUNK):
        data += chunk  # in step with what is there, whatever was declared; the last read checks the sum of the member
    if len(data) != declared:
        raise EOFError(f"'{member.filename}' ends too early")
    return np.frombuffer(data, dtype).reshape(shape, order=order) if data else np.empty(shape, dtype, order)


def _header(stream: IO[bytes]) -> tuple["np.dtype", Literal["C", "F"], tuple[int, ...], int]:
    """Type, order, shape, and bytes up to the data."""
    import numpy as np

    start = stream.read(8)
    if start[:6] != _MAGIC or start[6:7] not in (b"\x01", b"\x02", b"\x03"):
        raise ValueError("a member that is no array")
    form = "<H" if start[6] == 1 else "<I"
    (size,) = struct.unpack(form, stream.read(struct.calcsize(form)))
    if size > _MOST_HEADER:
        raise ValueError(f"a header of {size:,} bytes")
    text = stream.read(size).decode("latin1")
    dtype, order, shape = (pattern.findall(text) for pattern in (_DTYPE, _ORDER, _SHAPE))
    if not len(dtype) == len(order) == len(shape) == 1:
        raise ValueError("an array of objects or records, or a header that is none")
    found = np.dtype(dtype[0])
    if found.kind not in _KINDS or found.hasobject:
        raise ValueError(f"an array of type {found}")
    lengths = tuple(int(part.strip(" L\t\n")) for part in shape[0].split(",") if part.strip())
    return found, "F" if order[0] == "True" else "C", lengths, 8 + struct.calcsize(form) + size
