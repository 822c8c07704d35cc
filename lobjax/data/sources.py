"""Where a LOBSTER day lies (a zip, a pair of csv or csv.gz files, a folder that holds one) and its text in bounded blocks.

And the hashes of the files of any day.
"""

import gzip
import hashlib
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lobjax.data.lookalikes import content_of
from lobjax.errors import InputError
from lobjax.reading import Unpacked, check_method, exists, most_for, opened, parsing

BLOCK_BYTES = 1 << 23
_MOST_BYTES = 1 << 38  # of a file, and of what it unpacks to
_ROOM = 1 << 24  # bytes that a packed file may become, however small
EXPANDS = 100  # bytes that a byte of a packed file may become beyond that: messages pack 4 to 5 times smaller
BOOK_EXPANDS = 1000  # of a book file, which is never held whole: a hundred times, with 50 levels
_UNPACKED, _FETCH = "an archive that can be unpacked", "fetch it again, or unpack it and give the files"
_TEXT = (".csv", ".csv.gz")
_ORDER_FILES = (".dbn", ".dbn.zst")
_NAME = re.compile(
    r"(?P<symbol>[A-Za-z0-9.]{1,100})_(?P<date>\d{4}-\d{2}-\d{2})_\d+_\d+_(?:message|orderbook)_(?P<levels>\d+)"
)


class Text(NamedTuple):
    """One text file: a plain or gzipped file, or a member of a zip."""

    path: Path
    member: str | None = None

    def __str__(self) -> str:
        return f"{self.path}:{self.member}" if self.member else str(self.path)


class Source(NamedTuple):
    """The two files of a day; `book` is None where there is none."""

    message: Text
    book: Text | None
    symbol: str
    date: str
    levels: int | None  # as the file name says


def locate(path: str | Path, book: str | Path | None = None) -> Source:
    """Find the files of a day. `path`: an official zip, a message file, or a folder with one of either.

    `book`: the book file, else it is looked for beside the message file under LOBSTER's name (`_message_` becomes
    `_orderbook_`), a file of the first row only (`.row0.csv`) last. InputError where nothing, or more than one thing, is found.
    """
    path = _existing(Path(path))
    if os.path.isdir(path):
        with parsing(path, "a folder", "give a readable folder"):
            found = sorted(p for p in path.iterdir() if _is_message(p.name) or p.suffix == ".zip")
        if len(found) != 1:
            raise InputError(f"{path}: holds {len(found)} LOBSTER days; name one zip or message file")
        path = found[0]
    if path.suffix == ".zip":
        message, found_book = _zip_members(path)
    else:
        if not path.name.endswith(_TEXT):
            raise InputError(
                f"{path}: not a .zip, .csv or .csv.gz file (or .dbn, .dbn.zst); unpack it, or give the message file"
            )
        if "_orderbook_" in path.name:
            raise InputError(f"{path}: this is a book file; give the message file first, the book file second")
        message, found_book = Text(path), _beside(path)
    if book is not None:
        found_book = Text(_existing(Path(book)))
    named = _NAME.search(Path(message.member or message.path.name).name)
    levels = int(named["levels"]) if named else None
    symbol, date = (named["symbol"], named["date"]) if named else (path.name.split(".")[0], "")
    return Source(message, found_book, symbol, date, levels)


def blocks(text: Text, expands: int = EXPANDS) -> Iterator[bytes]:
    """The bytes of a file in blocks of whole lines, about `BLOCK_BYTES` each; a torn archive is an InputError.

    Lines end with a newline, or, in a block without one, with a carriage return; one longer than a block is an InputError. An archive that
    unpacks to more than `expands` times its size, beyond some MB, is one too.
    """
    with _unpacked(text, expands) as stream, parsing(text, _UNPACKED, _FETCH):
        rest = b""
        while chunk := stream.read(BLOCK_BYTES):
            chunk = rest + chunk
            cut = chunk.rfind(b"\n") + 1 or chunk.rfind(b"\r", 0, -1) + 1  # a newline may follow a last return
            if cut:
                yield chunk[:cut]
            elif len(chunk) > BLOCK_BYTES:
                what = content_of(chunk) or f"has no line end in {BLOCK_BYTES:,} bytes, it is no text of rows"
                raise InputError(f"{text}: {what}")
            rest = chunk[cut:]
        if rest:
            yield rest


def digests(source: Source) -> dict[str, str]:
    """sha256 of every file of a day, by file name."""
    texts = [source.message] + ([source.book] if source.book else [])
    return {path.name: digest(path) for path in dict.fromkeys(text.path for text in texts)}


def source_digests(path: str | Path, book: str | Path | None = None) -> dict[str, str]:
    """sha256 of every file that a day is read from, of whatever kind, by file name; InputError where one is missing."""
    is_whole = is_order_file(path) or Path(path).suffix == ".npz"  # one file: orders, or snapshots
    if not is_whole:
        return digests(locate(path, book))
    path = _existing(Path(path))
    return {path.name: digest(path)}


def is_order_file(path: str | Path) -> bool:
    """Whether the name is that of a Databento file."""
    return Path(path).name.endswith(_ORDER_FILES)


def digest(path: str | Path) -> str:
    """sha256 of a file; InputError where there is none that can be read."""
    with opened(path, most=_MOST_BYTES) as stream, parsing(path, "a file that can be read", "check the file"):
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _existing(path: Path) -> Path:
    if not exists(path):
        raise InputError(f"{path}: no such file; check the path")
    return path


def _is_message(name: str) -> bool:
    return "_message_" in name and name.endswith(_TEXT)


@contextmanager
def _unpacked(text: Text, expands: int) -> Iterator[Unpacked]:
    """The text as it comes out of its archive, if it lies in one: no more than a stated multiple of that."""
    with opened(text.path, most=_MOST_BYTES, advice="give a readable file") as stream:
        is_packed = text.member or text.path.suffix == ".gz"
        most = most_for(stream, _MOST_BYTES, expands, _ROOM) if is_packed else _MOST_BYTES
        with _member_or_whole(text, stream) as unpacked:
            yield Unpacked(unpacked, most)


@contextmanager
def _member_or_whole(text: Text, stream: Any) -> Iterator[Any]:
    if not text.member:
        yield gzip.GzipFile(fileobj=stream) if text.path.suffix == ".gz" else stream
        return
    with parsing(text, _UNPACKED, _FETCH):
        archive = zipfile.ZipFile(stream)
        check_method(archive.getinfo(text.member))
        member = archive.open(text.member)
    with archive, member:
        yield member


def _zip_members(path: Path) -> tuple[Text, Text | None]:
    with opened(path, most=_MOST_BYTES) as stream, parsing(path, _UNPACKED, _FETCH), zipfile.ZipFile(stream) as archive:
        names = [name for name in archive.namelist() if name.endswith(".csv") and not name.startswith("__MACOSX")]
    messages = [name for name in names if "message" in Path(name).name]
    books = [name for name in names if "orderbook" in Path(name).name]
    if len(messages) != 1 or len(books) > 1:
        raise InputError(f"{path}: holds {len(messages)} message and {len(books)} book files; one of each is wanted")
    return Text(path, messages[0]), Text(path, books[0]) if books else None


def _beside(message: Path) -> Text | None:
    if "message" not in message.name:
        return None
    stem = re.sub(r"\.csv(\.gz)?$", "", "orderbook".join(message.name.rsplit("message", 1)))
    for ending in (*_TEXT, ".row0.csv", ".row0.csv.gz"):
        if exists(candidate := message.with_name(stem + ending)):
            return Text(candidate)
    return None
