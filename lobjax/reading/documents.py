"""JSON from outside: a document, or one a line."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lobjax.errors import InputError
from lobjax.reading.files import MiB, opened, read_text
from lobjax.reading.parsing import parsing

MOST_JSON = 16 * MiB  # which takes twenty times as much memory, where it is all brackets
MOST_DEPTH = 64
_HALVES = re.compile(r"\\u[dD][89a-fA-F]")  # escapes of surrogates, which should come in pairs


def read_json(
    path: str | Path, *, most: int = MOST_JSON, what: str = "file", advice: str = "check the path"
) -> dict[str, Any]:
    """A file that holds one JSON object; InputError as `read_text`, and where it is not that or is nested too deep."""
    return _object(parse_json(read_text(path, most=most, what=what, advice=advice), path, advice), path, advice)


def parse_json(text: str | bytes, path: Any, advice: str) -> Any:
    """JSON that was read from `path`; InputError where it is none, is nested too deep, or has text that no file can hold."""
    with parsing(path, "JSON", advice):
        text = text if isinstance(text, str) else text.decode()
        found = json.loads(text)
        level, depth = [found], 0
        while level := [part for part in level if isinstance(part, (dict, list))]:
            if (depth := depth + 1) > MOST_DEPTH:
                raise ValueError(f"nested more than {MOST_DEPTH} deep")
            level = [child for part in level for child in (part.values() if isinstance(part, dict) else part)]
        if _HALVES.search(text):
            json.dumps(found, ensure_ascii=False).encode()  # half a surrogate pair: a string that cannot be written
    return found


def read_lines(
    path: str | Path, *, most_line: int = MiB, torn: bool = False, advice: str = "remove the line"
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file of JSON lines as (number, object), one in memory at a time; blank lines are passed over.

    `torn`: a last line without its end, of a process that was stopped, ends them; else it counts like any other. InputError names
    the line that is longer than `most_line` bytes or holds no JSON object.
    """
    with opened(path, advice=advice) as stream:
        number = 0
        while line := stream.readline(most_line + 1):
            number += 1
            where = f"{path}, line {number}"
            if torn and not line.endswith(b"\n") and len(line) <= most_line:
                return
            if len(line) > most_line:
                raise InputError(f"{where}: is longer than {most_line:,} bytes; {advice}")
            if not line.isspace():
                yield number, _object(parse_json(line, where, advice), where, advice)


def _object(found: Any, path: Any, advice: str) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise InputError(f"{path}: holds a JSON {type(found).__name__}, not an object; {advice}")
    return found
