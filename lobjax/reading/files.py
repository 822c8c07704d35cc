"""Opening files from outside, and reading bytes and text."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

from lobjax.errors import InputError
from lobjax.reading.parsing import parsing, reason

MiB = 1 << 20
MOST_TEXT = 64 * MiB


@contextmanager
def opened(
    path: str | Path, *, most: int | None = None, what: str = "file", advice: str = "check the path"
) -> Iterator[BufferedReader]:
    """A regular file as a binary stream; InputError where there is none, it cannot be read, or holds more than `most` bytes.

    `what` it is and the `advice` are words of the error. Nothing that is done with the stream is guarded: see `parsing`.
    """
    descriptor = _descriptor(path, what, advice)
    try:
        size = _size(path, os.fstat(descriptor), advice)
        if most is not None and size > most:
            raise InputError(f"{path}: holds {size:,} bytes, more than {most:,}; {advice}")
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
        data = read_stream(stream, most)
    if len(data) > most:
        raise InputError(f"{path}: holds more than {most:,} bytes; {advice}")
    return data


def read_stream(stream: BufferedReader, most: int) -> bytes:
    """All of an open file, or its first `most + 1` bytes: no more is allocated than is there."""
    data = stream.read(min(os.fstat(stream.fileno()).st_size, most) + 1)
    # Some files, as those of /proc, do not tell their size, and others grow.
    while len(data) <= most and (more := stream.read(min(MiB, most + 1 - len(data)))):
        data += more
    return data


def read_text(path: str | Path, *, most: int = MOST_TEXT, what: str = "file", advice: str = "check the path") -> str:
    """A whole file of UTF-8, with or without a byte-order mark; InputError as `opened`, and where it is another encoding."""
    data = read_bytes(path, most=most, what=what, advice=advice)
    with parsing(path, "text in UTF-8", advice):
        return data.decode("utf-8-sig")


def _descriptor(path: str | Path, what: str, advice: str) -> int:
    try:
        # Looked at first: to open a device may do something, and a pipe without a writer would wait.
        _size(path, os.stat(path), advice)
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise InputError(f"{path}: no such {what}; {advice}") from None
    except (OSError, ValueError) as error:  # ValueError: a name with a null byte
        raise InputError(f"{path}: cannot be opened ({reason(error)}); {advice}") from None


def _size(path: str | Path, found: os.stat_result, advice: str) -> int:
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"{path}: is a {_kind(found.st_mode)}, not a file; {advice}")
    return found.st_size


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"))
    return next((name for test, name in kinds if test(mode)), "device")
