"""The README's Python runs as it stands."""

import re
from pathlib import Path


def test_the_twenty_lines_run(capsys):
    text = (Path(__file__).parents[1] / "README.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 20
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    episodes, shortfall = re.fullmatch(r"(\d+) episodes, mean shortfall (\S+) ticks a lot\n", printed).groups()
    assert int(episodes) >= 512 and 0 < float(shortfall) < 5


def test_every_picture_and_record_that_is_named_exists():
    root = Path(__file__).parents[1]
    named = re.findall(r"\]\(((?!#)[^)]+)\)", (root / "README.md").read_text())
    assert named and all((root / path).exists() for path in named)
    assert "@@" not in (root / "README.md").read_text()
