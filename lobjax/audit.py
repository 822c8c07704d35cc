"""An audit log in which a change shows: JSON lines, each with the hash of the one before it.

A record is {seq, ts_ns, actor, kind, payload, prev, hash}; `hash` is the SHA-256 of the canonical JSON of the record without it (keys
sorted by code point, separators `,` and `:`, UTF-8 unescaped), `prev` that of the record before, 64 zeros for the first. Payloads hold
integers and texts, in objects and lists; decimals are texts.

A chain cannot show that its end was cut off: keep (count, last hash) of `append` elsewhere, and give it to `verify`. An append is on the
disk when it returns; one that was killed leaves a last line without its end, which is reported, and is taken off by `mend` alone.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

from lobjax import locks
from lobjax.errors import InputError
from lobjax.reading import opened, parse_json, parsing

FIRST = "0" * 64
MOST_LINE = 1 << 20  # bytes
_KEYS = ("seq", "ts_ns", "actor", "kind", "payload", "prev", "hash")
_MOST_INT = 2**63 - 1
_ADVICE = "see it with `python -m lobjax audit verify`"


class Found(NamedTuple):
    """What `verify` finds. `first_bad`: the place of the first bad record, from 0, -1 for none; `why`, in words, empty for nothing."""

    count: int  # good records before the first bad one
    last: str  # the hash of the last of them
    first_bad: int
    why: str
    torn: int  # bytes of a last line without its end

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.why


def canonical(record: dict[str, Any]) -> bytes:
    """What is hashed of a record: its canonical JSON, without `hash`. ValueError for what no record may hold."""
    kept = {key: value for key, value in record.items() if key != "hash"}
    _check_value(kept, "record")
    return json.dumps(kept, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def hashed(record: dict[str, Any]) -> str:
    """The hash that a record should have."""
    return hashlib.sha256(canonical(record)).hexdigest()


def append(
    path: str | Path, actor: str, kind: str, payload: dict[str, Any], ts_ns: int | None = None
) -> dict[str, Any]:
    """Add a record to the log at `path`, which need not exist, and return it; it is on the disk then. Several processes may append.

    `ts_ns`: nanoseconds since 1970, now by default. InputError for a payload with other than integers and texts, for a torn last line
    and for a last line that is no record.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is not a file; choose another place for the log")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        locks.alone_on(file)
        last = _last(path, file)
        return _add(path, file, last, actor, kind, payload, ts_ns)


def verify(path: str | Path, expected: tuple[int, str] | None = None) -> Found:
    """Check a log from its first record on; `expected` (count, last hash) as kept elsewhere shows a tail that was cut or added.

    InputError only where there is no file that can be read: what is wrong within is in what is returned.
    """
    prev, count, torn = FIRST, 0, 0
    for line in _lines(path):
        if not line.endswith(b"\n") and len(line) <= MOST_LINE:
            torn = len(line)
            break
        record, why = _record(line, count, prev)
        if why:
            return Found(count, prev, count, why, 0)
        prev, count = record["hash"], count + 1
    if torn:
        return Found(count, prev, count, f"its last line is torn: {torn:,} bytes without a line end", torn)
    if expected and expected != (count, prev):
        return Found(count, prev, min(count, expected[0]), _unexpected(count, prev, *expected), 0)
    return Found(count, prev, -1, "", 0)


def mend(path: str | Path, actor: str) -> int:
    """Take a torn last line off, keep its bytes beside the log, and add a record that says so; how many bytes that were."""
    path = Path(path)
    with opened(path, advice="name an audit log"):
        pass
    with path.open("r+b") as file:
        locks.alone_on(file)
        found = verify(path)
        if not found.torn:
            raise InputError(f"{path}: {found.why or 'no line of it is torn'}; there is nothing to mend")
        end = os.fstat(file.fileno()).st_size - found.torn
        file.seek(end)
        torn = file.read()
        kept = path.with_name(f"{path.name}.torn-{found.count}")
        kept.write_bytes(torn)
        file.truncate(end)
        last = (found.count - 1, found.last)
        _add(path, file, last, actor, "mend", {"bytes": len(torn), "sha256": hashlib.sha256(torn).hexdigest()}, None)
    return len(torn)


def _add(path: Path, file: IO[bytes], last: tuple[int, str], actor: Any, kind: Any, payload: Any, ts_ns: Any) -> dict:
    seq, prev = last
    record = {
        "seq": seq + 1,
        "ts_ns": time.time_ns() if ts_ns is None else ts_ns,
        "actor": actor,
        "kind": kind,
        "payload": payload,
        "prev": prev,
    }
    try:
        _check_fields(record, _KEYS[:-1])
        record["hash"] = hashed(record)
        line = json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"
        if len(line) > MOST_LINE:
            raise ValueError(f"a record of {len(line):,} bytes, more than {MOST_LINE:,}")
    except ValueError as error:
        raise InputError(f"{path}: {error}; decimals are texts, and records short") from None
    is_new = seq < 0
    file.seek(0, os.SEEK_END)
    file.write(line)
    file.flush()
    os.fsync(file.fileno())
    if is_new:
        _sync_folder(path.parent)
    return record


def _last(path: Path, file: IO[bytes]) -> tuple[int, str]:
    """(seq, hash) of the last record; (-1, 64 zeros) of an empty log."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return -1, FIRST
    start = max(0, size - 2 * MOST_LINE)
    file.seek(start)
    tail = file.read()
    if not tail.endswith(b"\n"):
        raise InputError(
            f"{path}: its last line is torn, by a process that was killed; `python -m lobjax audit mend` it"
        )
    line = tail[tail.rfind(b"\n", 0, -1) + 1 :]
    record, why = _parsed(line)
    if why or record["hash"] != hashed(record):
        raise InputError(
            f"{path}: its last record is damaged ({why or 'its hash is not that of its content'}); {_ADVICE}"
        )
    return record["seq"], record["hash"]


def _record(line: bytes, seq: int, prev: str) -> tuple[dict[str, Any], str]:
    record, why = _parsed(line)
    if why:
        return record, why
    if record["seq"] != seq:
        return record, f"its seq is {record['seq']}, not {seq}: records are missing, added or out of order"
    if record["prev"] != prev:
        return record, "its prev is not the hash of the record before"
    if record["hash"] != hashed(record):
        return record, "its hash is not that of its content"
    return record, ""


def _parsed(line: bytes) -> tuple[dict[str, Any], str]:
    """A record of the right shape, or what is wrong with a line."""
    try:
        with parsing("line", "JSON", "mend it"):
            record: Any = json.loads(line.decode(), object_pairs_hook=_once) if len(line) <= MOST_LINE else None
            parse_json(line, "line", "mend it")  # bounds its depth
        _check_fields(record, _KEYS)
        _check_value(record, "record")
        return record, ""
    except (InputError, ValueError) as error:
        return {}, str(error).removeprefix("line: ").removesuffix("; mend it")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return found


def _check_fields(record: Any, keys: tuple[str, ...]) -> None:
    if not isinstance(record, dict):
        raise ValueError("it is no JSON object of a record's length")
    if missing := [key for key in keys if key not in record]:
        raise ValueError(f"it has no '{missing[0]}'")
    if others := sorted(record.keys() - set(keys)):
        raise ValueError(f"it has a key '{others[0]}'")
    for key in ("seq", "ts_ns"):
        if type(record[key]) is not int or record[key] < 0:
            raise ValueError(f"its {key} is not a whole number from 0")
    for key in ("actor", "kind", "prev"):
        if not isinstance(record[key], str) or not record[key]:
            raise ValueError(f"its {key} is not a text")
    if not isinstance(record["payload"], dict):
        raise ValueError("its payload is not an object")
    if not isinstance(record.get("hash", ""), str):
        raise ValueError("its hash is not a text")


def _check_value(value: Any, where: str) -> None:
    if isinstance(value, dict):
        for key, part in value.items():
            if not isinstance(key, str):
                raise ValueError(f"a key of {where} is not a text")
            _check_value(key, f"a key of {where}")
            _check_value(part, f"{where}.{key}")
    elif isinstance(value, list):
        for part in value:
            _check_value(part, where)
    elif isinstance(value, str):
        value.encode()  # halves of surrogates cannot be written; UnicodeEncodeError is a ValueError
    elif type(value) is not int or abs(value) > _MOST_INT:
        raise ValueError(f"{where} is a {type(value).__name__}, neither a whole number of 64 bits nor a text")


def _unexpected(count: int, last: str, wanted: int, wanted_last: str) -> str:
    if count < wanted:
        return f"it ends after {count:,} of {wanted:,} records: its tail was cut off"
    if count > wanted:
        return f"it has {count:,} records, {wanted:,} were expected"
    return f"its last hash is {last[:12]}..., not {wanted_last[:12]}...: it was written anew"


def _lines(path: str | Path) -> Iterator[bytes]:
    with opened(path, what="audit log", advice="check the path") as stream:
        while line := stream.readline(MOST_LINE + 1):
            yield line


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
