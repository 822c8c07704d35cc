"""No edit meets stale code: every file that code comes from which Numba keeps is part of what it is kept under."""

from importlib import import_module
from pathlib import Path

import pytest

import lobjax
from lobjax import caching
from lobjax.ffi.handlers import stamp
from tests.compiled_sources import Sources

ROOT = Path(lobjax.__file__).parent
HANDLERS = ("lobjax.engine.host.batch", "lobjax.market.host.batch")


@pytest.fixture(scope="module")
def package() -> Sources:
    return Sources(ROOT)


def names(found: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(module, name) for module, functions in found.items() for name in functions]


def test_all_handlers_are_known(package):
    assert tuple(package.decorated("cfunc", "numba.cfunc")) == HANDLERS


@pytest.mark.parametrize("module", HANDLERS)
def test_what_a_handler_comes_from_is_stamped_and_nothing_is_stamped_in_vain(package, module):
    reached = package.of((module, "compile_handler"))
    assert {"kinds.py", "reference/book.py", "ffi/batch.py"} < reached
    patterns = {
        pattern: {path.relative_to(ROOT).as_posix() for path in ROOT.glob(pattern)}
        for pattern in import_module(module).SOURCES
    }
    assert reached - set().union(*patterns.values()) == set()
    assert [pattern for pattern, files in patterns.items() if not files & reached] == []


def test_what_cached_functions_come_from_names_the_folder_of_the_cache(package):
    reached = package.of(*names(package.decorated("njit", "numba.njit", "compiled")))
    assert {"kinds.py", "reference/book.py", "snapshot/bounds.py", "data/dbn.py"} < reached
    assert reached - set(caching.sources()) == set()


def test_files_baked_in_are_there_and_needed(package):
    reached = package.of(*names(package.decorated("njit", "numba.njit", "compiled")))
    assert set(caching._BAKED_IN) <= reached


def test_a_pattern_that_matches_nothing_is_an_error():
    with pytest.raises(ValueError, match=r"no source matches 'gone/\*\.py'"):
        stamp(("kinds.py", "gone/*.py"))


WRITTEN = {
    "__init__.py": "",
    "handler.py": """
from numba import cfunc
from box import deep, tables
from box.again import renamed as used

def other():
    return used

def compile_handler(version: tables.Unused):
    from box.late import inside

    @cfunc()
    def handler(frame):
        return used(frame) + deep.tables.SIZE + tables.TABLE[0] + inside
""",
    "again.py": "from box.real import function as renamed\nfrom box.real import untouched",
    "real.py": "from box.numbers import ONE, TWO\n\ndef function(x):\n    return x + ONE\n\ndef untouched():\n    return TWO",
    "numbers.py": "from box.two import BASE as TWO\nfrom box.seven import SEVEN\nif SEVEN:\n    ONE = 1\nelse:\n    ONE = 2",
    "two.py": "BASE = 2",
    "seven.py": "SEVEN = 7",
    "tables.py": "from box.rows import row\nTABLE, Unused = row(3), int",
    "rows.py": "def row(n):\n    return [n]",
    "late.py": "inside = 1",
    "deep/__init__.py": "",
    "deep/tables.py": "SIZE = 3",
}


def test_sources_are_followed_through_imports_that_rename_and_modules_and_left_where_nothing_is_used(tmp_path):
    for name, text in WRITTEN.items():
        (tmp_path / "box" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "box" / name).write_text(text, encoding="utf-8")
    box = Sources(tmp_path / "box")
    assert box.decorated("cfunc") == {"box.handler": ["compile_handler"]}
    found = box.of(("box.handler", "compile_handler"))
    assert found >= {"handler.py", "again.py", "real.py", "numbers.py", "seven.py", "tables.py", "rows.py", "late.py"}
    assert "deep/tables.py" in found and "two.py" not in found
