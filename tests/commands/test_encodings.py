"""Every text file that is read or written says that it is UTF-8: what is left out is the locale's, and on some machines ASCII."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
METHODS = ("read_text", "write_text")
OPENERS = ("open", "fdopen", "NamedTemporaryFile", "TemporaryFile", "TextIOWrapper")
PROCESSES = ("run", "Popen", "check_output")


def without_encoding(source: str) -> list[str]:
    """The calls that handle text in whatever encoding the locale has."""
    found = []
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call) or any(word.arg in ("encoding", None) for word in call.keywords):
            continue
        is_method = isinstance(call.func, ast.Attribute)
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        words = {word.arg for word in call.keywords}
        modes = [
            a.value
            for a in call.args[0 if is_method else 1 :]
            if isinstance(a, ast.Constant) and isinstance(a.value, str)
        ]
        if (
            (is_method and name in METHODS and not words & {"most", "what"} and _of_path(call))
            or (
                name in OPENERS and (not is_method or not call.args or modes) and not any("b" in mode for mode in modes)
            )
            or (name in PROCESSES and words & {"text", "universal_newlines"})
        ):
            found.append(f"line {call.lineno}: {ast.unparse(call)}")
    return found


def _of_path(call: ast.Call) -> bool:
    """Not of a module, whose function of that name takes the path first: `work.write_text(path, text)`."""
    return len(call.args) < 2


@pytest.mark.parametrize("package", ["lobjax", "train", "backtest", "bench"])
def test_text_is_utf8(package):
    paths = sorted((ROOT / package).rglob("*.py"))
    wrong = {str(path.relative_to(ROOT)): without_encoding(path.read_text(encoding="utf-8")) for path in paths}
    assert not {path: calls for path, calls in wrong.items() if calls}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("path.read_text()", 1),
        ("path.write_text(text)", 1),
        ("open(path)", 1),
        ("path.open('a', buffering=1)", 1),
        ("folder.metrics.open()", 1),
        ("subprocess.run(command, text=True)", 1),
        ("tempfile.NamedTemporaryFile('w')", 1),
        ("open(path, 'rb'); path.open('wb'); market.open(key, params)", 0),
        ("path.read_text(encoding='utf-8'); open(path, encoding='utf-8')", 0),
    ],
)
def test_what_the_check_sees(source, count):
    assert len(without_encoding(source)) == count
