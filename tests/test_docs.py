"""The README and the pages: their code runs as it stands, what they name exists, and the README stays short."""

import re
from pathlib import Path

import pytest
import yaml

from lobjax.config import build
from lobjax.tasks import EnvConfig

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_the_twenty_lines_run(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len([line for line in code.splitlines() if line.strip()]) <= 21
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    episodes, shortfall = re.fullmatch(r"(\d+) episodes, mean shortfall (\S+) ticks a lot\n", printed).groups()
    assert int(episodes) >= 512 and 0 < float(shortfall) < 5


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) <= 1200


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_everything_that_a_page_names_exists(page: Path):
    text = page.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(((?!#)[^)]+)\)", text) if not link.startswith("http")]
    assert all((page.parent / link.partition("#")[0]).exists() for link in links), links
    files = re.findall(r"`((?:lobjax|train|backtest|bench|configs|tests|docs)/[\w/.-]+\.\w+)`", text)
    assert all((ROOT / file).exists() for file in files), files


def test_the_configurations_in_the_pages_are_valid():
    blocks = [
        block
        for page in PAGES
        for block in re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    ]
    assert blocks
    for block in blocks:
        build(EnvConfig, yaml.safe_load(block)["env"])
