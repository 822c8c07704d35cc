"""Reading files from outside: the one place that opens them, and the one that says in a line what is wrong with them.

A file is opened only if it is a regular file (not a folder, a pipe or a device, which might wait for ever) of a stated size at most.
What is parsed from it is bounded as well: nested JSON, archives that expand, arrays whose header declares more than the archive holds,
tables of more rows than bytes could tell. Whatever a parser then raises becomes one InputError that names the file and says what to do.

A file of S bytes takes at most `ROOM + EXPANDS * S` bytes of memory to read, whatever it declares.
"""

from lobjax.reading.arrays import read_npz
from lobjax.reading.csv_rows import Rows, is_number, read_csv
from lobjax.reading.documents import MOST_JSON, parse_json, read_json, read_lines
from lobjax.reading.files import MOST_TEXT, MiB, exists, is_file, opened, read_bytes, read_text
from lobjax.reading.parsing import parsing
from lobjax.reading.tables import read_table
from lobjax.reading.unpacking import EXPANDS, MOST_ARRAYS, ROOM, Unpacked, check_method, most_for

__all__ = [
    "EXPANDS",
    "MOST_ARRAYS",
    "MOST_JSON",
    "MOST_TEXT",
    "ROOM",
    "MiB",
    "Rows",
    "Unpacked",
    "check_method",
    "exists",
    "is_file",
    "is_number",
    "most_for",
    "opened",
    "parse_json",
    "parsing",
    "read_bytes",
    "read_csv",
    "read_json",
    "read_lines",
    "read_npz",
    "read_table",
    "read_text",
]
