"""What a file that cannot be read as LOBSTER's looks like, so that its refusal says what to do: one phrase, or none where nothing fits."""

import re

_MAGIC = (
    (b"\xff\xfe\x00\x00", "UTF-32 text; save it as UTF-8"),
    (b"\x00\x00\xfe\xff", "UTF-32 text; save it as UTF-8"),
    (b"\xff\xfe", "UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text; save it as UTF-8"),
    (b"\x1f\x8b", "gzip data; name the file .csv.gz (once packed) or unpack it"),
    (b"PK\x05\x06", "an empty zip archive; fetch the file again"),
    (b"PAR1", "a Parquet file; save it as CSV"),
    (b"ARROW1", "an Arrow (Feather) file; save it as CSV"),
    (b"\x28\xb5\x2f\xfd", "zstd data; unpack it"),
    (b"BZh", "bzip2 data; unpack it"),
    (b"\xfd7zXZ", "xz data; unpack it"),
    (b"7z\xbc\xaf", "a 7z archive; unpack it"),
    (b"Rar!", "a RAR archive; unpack it"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook; save it as CSV"),
    (b"\x89HDF", "an HDF5 file (or MATLAB's); save it as CSV"),
    (b"MATLAB", "a MATLAB file; save it as CSV"),
    (b"\x93NUMPY", "a NumPy array; save it as CSV"),
    (b"\x80\x04\x95", "a Python pickle; save it as CSV"),
    (b"%PDF", "a PDF; give the CSV file"),
    (b"DBN", "a Databento file; name it .dbn"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file; fetch it with git lfs pull"),
)
_NUMBER = re.compile(r"-?\d+(\.0*)?")
_SEPARATORS = ((";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars"))
_TIME_UNITS = (  # from the largest: seconds since 1970 lie between milliseconds and microseconds after midnight
    (10**17, "nanoseconds since 1970"),
    (10**14, "microseconds since 1970"),
    (10**12, None),  # told below: milliseconds since 1970 or nanoseconds after midnight
    (5 * 10**9, "microseconds after midnight"),
    (10**9, "seconds since 1970"),
    (10**7, "milliseconds after midnight"),
)


def content_of(first: bytes) -> str:
    """What a file holds instead of text in rows, from its first block; empty for text."""
    for magic, what in _MAGIC:
        if first.startswith(magic):
            return f"holds {what}"
    if first.startswith(b"PK\x03\x04"):
        is_workbook = b"[Content_Types].xml" in first or b"xl/" in first[:4096]
        what = "an Excel workbook; save it as CSV" if is_workbook else "a zip archive; name the file .zip or unpack it"
        return f"holds {what}"
    start = first[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--", b"<body")):
        return "holds a web page (HTML or XML), often an error of the server it came from; fetch the file again"
    if start.startswith((b"{", b"[")):
        return "holds JSON, often an error of the server it came from; fetch the file again, or save it as CSV"
    return _wide(first[:4096])


def _wide(start: bytes) -> str:
    """Text of two or four bytes a character, told by its NULs; or NULs that mean nothing."""
    nuls = [start[k::4].count(0) / max(1, len(start[k::4])) for k in range(4)]
    if max(nuls) < 0.9:
        return "holds NUL bytes; it is damaged, fetch it again" if b"\0" in start else ""
    full = sum(share > 0.9 for share in nuls)
    return {
        2: "holds UTF-16 text; save it as UTF-8",
        3: "holds UTF-32 text; save it as UTF-8",
    }.get(full, "holds NUL bytes; it is damaged, fetch it again")


def other_file(is_book: bool) -> str:
    """That a file is the day's other one."""
    if is_book:
        return "looks like that of a message file; give the message file first, the orderbook file second"
    return "looks like that of an orderbook file; give the message file first, the orderbook file second"


def separator_of(line: str) -> str:
    """What stands between fields instead of commas; empty where commas do."""
    for separator, name in _SEPARATORS:
        parts = line.split(separator)
        if len(parts) >= 4:
            decimal = ", and decimal commas" if any(re.fullmatch(r"\s*-?\d+,\d+\s*", part) for part in parts) else ""
            return f"looks like fields separated by {name}{decimal}; save the file with commas{' and decimal points' if decimal else ''}"
    if "," not in line and len(line.split()) >= 4:
        return "looks like fields separated by spaces; save the file with commas"
    return ""


def explain(line: str, field: str, column: int, is_book: bool) -> str:
    """What the row `line` looks like that failed at `field` of `column` (from 0; of a message file where not `is_book`), and what to do."""
    if "\0" in line:
        return "holds NUL bytes; it is damaged, fetch it again"
    if found := separator_of(line):
        return found
    if quoted := re.search(r'"([^",]*(?:,[^",]*)+)"', line):
        return _inside_quotes(quoted[1].strip())
    fields = [part.strip().strip('"') for part in line.split(",")]
    if sum(bool(re.fullmatch(r"[A-Za-z_][\w ().]*", part)) for part in fields) >= 4:
        return "looks like a header row in the middle, as where two files were joined; delete it"
    if _is_other(fields, is_book):
        return f"the row {other_file(is_book)}"
    if _has_index(fields, is_book):
        return "looks like a data frame's index as first column; save the file without it (index=False)"
    return _of_time(fields, field) if column == 0 and not is_book else _of_number(fields, field, column, is_book)


def _inside_quotes(text: str) -> str:
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", text):
        return f"looks like thousands separators ('{text}'); save numbers without them"
    return f"looks like decimal commas ('{text}'); save numbers with decimal points"


def _is_other(fields: list[str], is_book: bool) -> bool:
    """Whether a row has the shape of the day's other file."""
    while len(fields) > 6 and fields[-1].lower() in ("", "null", "nan"):
        fields = fields[:-1]
    whole = all(_NUMBER.fullmatch(part) for part in fields)
    if is_book:
        return len(fields) in (6, 7) and fields[1] in tuple("1234567") and fields[5] in ("1", "-1", "0")
    return len(fields) >= 4 and len(fields) % 4 == 0 and whole and len(fields[0].lstrip("-")) >= 4


def _has_index(fields: list[str], is_book: bool) -> bool:
    if not fields[0].isdigit():
        return False
    rest = fields[1:]
    if is_book:
        return len(rest) >= 4 and len(rest) % 4 == 0
    return len(rest) in (6, 7) and rest[1] in tuple("1234567") and rest[5] in ("1", "-1") and "." in rest[0]


def _of_time(fields: list[str], field: str) -> str:
    text = field.strip().strip('"')
    if re.match(r"\d{4}[-/.]?\d{2}[-/.]?\d{2}[T ]\d", text) or re.match(r"\d{1,4}[-/]\d{1,2}[-/]\d{1,4}", text):
        return "looks like a date with a time; give seconds after midnight (34200.5)"
    if re.match(r"\d{1,2}:\d{2}", text):
        return "looks like hours and minutes; give seconds after midnight (34200.5)"
    if text.isdigit():
        return time_unit(int(text))
    if re.fullmatch(r"\d+([.']\d{3})+", text) and text.count(".") != 1:
        return f"looks like thousands separators ('{text}'); save numbers without them"
    return _of_number(fields, field, 0, False)


def time_unit(value: int) -> str:
    """What a time of at least a day's seconds looks like."""
    if value < 10**7:
        return "give seconds after midnight of one day"
    unit = next(name for least, name in _TIME_UNITS if value >= least)
    unit = unit or ("milliseconds since 1970" if value < 4 * 10**12 else "nanoseconds after midnight")
    return f"looks like {unit}; give seconds after midnight of one day (34200.5)"


def _of_number(fields: list[str], field: str, column: int, is_book: bool) -> str:
    text = field.strip().strip('"').strip()
    is_price = column % 2 == 0 if is_book else column == 4
    if re.fullmatch(r"-?\d{1,3}([ '_ \u00a0\u202f\u2009]\d{3})+", text) or re.fullmatch(
        r"-?\d{1,3}(\.\d{3}){2,}", text
    ):
        return f"looks like thousands separators ('{text}'); save numbers without them"
    if is_price and re.fullmatch(r"[$€£]\s?\d+|[$€£]?\s?\d+\.\d+", text):
        return "looks like a price in dollars; give whole numbers of 1e-4 dollars (585.33 is 5853300)"
    if not is_book and column == 5 and text.lower() in ("b", "s", "buy", "sell", "bid", "ask", "a"):
        return "looks like a side in words; give 1 for buy orders, -1 for sell orders"
    if not is_book and _decimal_comma(fields):
        return "looks like decimal commas; save numbers with decimal points"
    if text.lower() in ("", "nan", "null", "none", "na", "n/a"):
        empty = "an empty level is 9999999999,0 or -9999999999,0" if is_book else "every field needs one"
        return f"a value is missing; {empty}"
    if re.fullmatch(r"-?\d+\.\d+", text):
        return "looks like a fraction where whole numbers belong; give the file as LOBSTER wrote it"
    return ""


def _decimal_comma(fields: list[str]) -> bool:
    """Whether a message row has a time in two parts: then what stands second is no type, and what stands third is one."""
    return (
        len(fields) in (7, 8)
        and all(_NUMBER.fullmatch(part) for part in fields[:7])
        and len(fields[1]) > 1
        and fields[2] in tuple("1234567")
    )
