"""How much a packed file may become, and a stream that stops there."""

import os
import zipfile
from typing import IO, Any

ROOM = 64 << 20  # what any file may take, however small
EXPANDS = 1200  # bytes of memory that a byte of a packed file may become: deflate reaches 1032
_METHODS = {9: "deflate64", 12: "bzip2", 93: "zstd", 95: "xz", 98: "PPMd"}
MOST_ARRAYS = 8 << 30  # of a file of arrays or a table, unpacked


def most_for(stream: IO[bytes], most: int = MOST_ARRAYS, expands: int = EXPANDS, room: int = ROOM) -> int:
    """Bytes that an open file may become."""
    return min(most, room + expands * os.fstat(stream.fileno()).st_size)


def check_method(member: zipfile.ZipInfo) -> None:
    """ValueError unless Python unpacks a member of a zip in pieces: of bzip2 it takes gigabytes from a few kilobytes at once."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        method = _METHODS.get(member.compress_type, str(member.compress_type))
        raise ValueError(f"'{member.filename}' is packed by the method {method}, which is not read here")


class Unpacked:
    """A stream of unpacked bytes that gives at most `most` of them, and a ValueError in place of the next."""

    def __init__(self, stream: Any, most: int) -> None:
        self._stream, self._left, self._most = stream, most, most

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise ValueError(f"it unpacks to more than {self._most:,} bytes")
        return data
