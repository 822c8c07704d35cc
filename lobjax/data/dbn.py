"""Reads Databento files of schema mbo (`.dbn`, `.dbn.zst`), exactly; needs databento-dbn, the extra `mbo`.

Whatever is wrong is an InputError of one line that names the file, the record (from 1, all instruments counted) and what to do.
"""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lobjax.errors import InputError
from lobjax.reading import Unpacked, most_for, opened, parsing

PRICE_UNIT = 10**9  # fixed prices: units of 1e-9
UNDEFINED_PRICE, UNDEFINED_TIME = 2**63 - 1, 2**64 - 1
F_LAST, F_TOB, F_SNAPSHOT, F_MBP, F_MAYBE_BAD_BOOK = 128, 64, 32, 16, 4
ADD, CANCEL, MODIFY, CLEAR, TRADE, FILL, NONE = b"ACMRTFN"
BID, ASK, NO_SIDE = b"BAN"
CHUNK_BYTES = 1 << 22
_MOST_BYTES = 1 << 38  # of a file, and of what it unpacks to
_ROOM = 1 << 24  # bytes that a packed file may become, however small
_EXPANDS = 100  # bytes that a byte of a packed file may become beyond that: records pack some 5 times smaller
_DAY_NS = 86_400 * 10**9
_MOST_NAMES = 12
_GIVE_MBO = "give a Databento file of schema mbo, as it was delivered"
RECORD = np.dtype(
    [
        *(("length", "u1"), ("rtype", "u1"), ("publisher", "<u2"), ("instrument", "<u4"), ("ts_event", "<u8")),
        *(("order_id", "<u8"), ("price", "<i8"), ("size", "<u4"), ("flags", "u1"), ("channel", "u1")),
        *(("action", "u1"), ("side", "u1"), ("ts_recv", "<u8"), ("ts_in_delta", "<i4"), ("sequence", "<u4")),
    ]
)


class OrderFile(NamedTuple):
    """The records of one instrument of a file, in its order.

    records: `RECORD` [R], wide ids, prices in 1e-9, times in nanoseconds since 1970 (UTC), as delivered; number: int64 [R], place in
    the file from 1; midnight_ns: 00:00 UTC of the file's first day; in_file: records of all instruments.
    """

    records: np.ndarray
    number: np.ndarray
    symbol: str
    date: str
    midnight_ns: int
    in_file: int


def read_orders(path: str | Path, instrument: str | None = None) -> OrderFile:
    """Read the records of `instrument` (its symbol or number; the only one by default). InputError for whatever is wrong."""
    path = Path(path)
    metadata, records = _decode(path)
    if len(records) == 0:
        raise InputError(f"{path}: has no order-by-order record; {_GIVE_MBO}")
    chosen, symbol = _choose(path, metadata, records, instrument)
    number = np.flatnonzero(records["instrument"] == chosen)
    mine = records[number] if len(number) < len(records) else records
    if len(venues := np.unique(mine["publisher"])) > 1:
        raise InputError(
            f"{path}: {symbol} has orders of {len(venues)} venues, which are {len(venues)} books; give a file of one"
        )
    if (late := mine["ts_recv"] >= 2**63).any():
        at = int(np.argmax(late))
        raise InputError(f"{path}: record {number[at] + 1}: capture time {mine['ts_recv'][at]} is none; mend the file")
    start = min(metadata.start, int(mine["ts_recv"][0])) if metadata.start else int(mine["ts_recv"][0])
    midnight_ns = start - start % _DAY_NS
    date = datetime.datetime.fromtimestamp(midnight_ns // 10**9, datetime.UTC).date().isoformat()
    return OrderFile(mine, number + 1, symbol, date, midnight_ns, len(records))


def _choose(path: Path, metadata: Any, records: np.ndarray, instrument: str | None) -> tuple[int, str]:
    """The number of the instrument that was asked for, and its symbol."""
    symbols = {
        interval["symbol"]: symbol
        for symbol, intervals in metadata.mappings.items()
        for interval in intervals
        if interval["symbol"]
    }
    found = [(int(one), symbols.get(str(one), str(one))) for one in np.unique(records["instrument"])]
    asked = [one for one in found if instrument is None or instrument in (str(one[0]), one[1])]
    if len(asked) == 1:
        return asked[0]
    names = ", ".join(f"{symbol} ({one})" if symbol != str(one) else symbol for one, symbol in found[:_MOST_NAMES])
    more = f" and {len(found) - _MOST_NAMES} more" if len(found) > _MOST_NAMES else ""
    if not asked:
        raise InputError(f"{path}: has no instrument '{instrument}'; it holds {names}{more}")
    what = f"'{instrument}' is {len(asked)} instruments" if instrument else f"holds {len(found)} instruments"
    raise InputError(f"{path}: {what}; choose one as the instrument, by number where symbols repeat: {names}{more}")


def _decode(path: Path) -> tuple[Any, np.ndarray]:
    """The file's metadata and its MBO records, other kinds of record left out."""
    try:
        import databento_dbn as dbn
    except ImportError:
        raise InputError(
            f"{path}: reading Databento files needs the package databento-dbn; pip install 'lobjax[mbo]'"
        ) from None
    # Not the decoder's own decompression: it takes a file that ends too early for a whole one.
    metadata: Any = None
    decoder, parts = dbn.DBNDecoder(), []
    for chunk in _chunks(path):
        if (
            metadata is None and not parts and chunk[:4] == b"DBN\0"
        ):  # the decoder takes it for the version that it knows
            raise InputError(f"{path}: is of version 0, which there is none of; {_GIVE_MBO}")
        with parsing(path, "a Databento file, or a damaged one", _GIVE_MBO):
            found = decoder.write_and_decode(chunk)
        if metadata is None and found:
            metadata = found[0]
            if metadata.schema not in (None, dbn.Schema.MBO):
                raise InputError(f"{path}: has schema {metadata.schema}, not mbo; {_GIVE_MBO}")
        packed = b"".join(bytes(record)[: RECORD.itemsize] for record in found if isinstance(record, dbn.MBOMsg))
        parts.append(np.frombuffer(packed, RECORD))
    if metadata is None or len(decoder.buffer()):
        raise InputError(f"{path}: ends within a record; it is truncated, fetch it again")
    return metadata, np.concatenate(parts)


def _chunks(path: Path) -> Iterator[bytes]:
    """The decompressed bytes of a file; a torn or foreign one is an InputError."""
    import pyarrow as pa  # a tenth of a second, for these files only

    with (
        opened(path, most=_MOST_BYTES, advice="give a readable file") as stream,
        parsing(path, "a whole archive", "fetch it again"),
    ):
        source: Any = stream
        most = _MOST_BYTES
        if path.suffix == ".zst":
            source, most = (
                pa.CompressedInputStream(pa.PythonFile(stream, "r"), "zstd"),
                most_for(stream, most, _EXPANDS, _ROOM),
            )
        unpacked = Unpacked(source, most)
        while chunk := unpacked.read(CHUNK_BYTES):
            yield chunk
