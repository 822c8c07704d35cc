"""The report: what was traded, who did how well, and how sure that is, for a reader who knows neither the code nor the market.

It is made from a backtest's folder and nothing else.
"""

from pathlib import Path

from backtest import folder
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.results import figures as results
from lobjax.results import load, style
from lobjax.results.loading import load_paths
from lobjax.results.report import figures
from lobjax.results.report.data import ReportData
from lobjax.results.report.traces import AGAIN
from lobjax.tasks import TASKS, known_measures

MOST_PLAYERS = 32


def read(path: Path) -> ReportData:
    """All that a report is made of; InputError where files are missing, damaged or do not agree."""
    about, comparison = folder.read_run(path), load(path, known_measures())
    backtest, episode = about["backtest"], about["detail"]["episode"]
    decisions, count = backtest["env"]["task"]["decisions"], comparison.count
    wrong = None
    if comparison.task != about["task"]:
        wrong = f"an evaluation of {comparison.task} beside a backtest of {about['task']}"
    elif len(comparison.players) > MOST_PLAYERS:
        wrong = f"{len(comparison.players)} players, and a report shows at most {MOST_PLAYERS}"
    elif not 0 <= episode < count:
        wrong = f"{folder.RUN} names episode {episode} of {count}"
    elif (
        backtest["env"]["flow"]["kind"] == "recorded"
        and not set(figures.BY_CLOCK) <= comparison.figures[comparison.first].keys()
    ):
        wrong = f"the flow is recorded, but the episodes have not all of {', '.join(figures.BY_CLOCK)}"
    if wrong:
        raise InputError(f"{path}: {wrong}; {AGAIN}")
    paths = load_paths(path, comparison.players)
    if (last := paths["decision"].max()) != decisions:
        raise InputError(f"{path}: paths of {last} decisions, {folder.RUN} says {decisions}; {AGAIN}")
    spec = TASKS[about["task"]]
    return ReportData(about, comparison, paths, spec.report(spec.words).read(path, about, comparison))


def write_report(path: Path) -> Path:
    """Draw the figures and write report.html, both into the folder; returns its path.

    InputError where files are missing, damaged or do not agree; then what was there before stays.
    """
    found = read(path)
    about, comparison = found.about, found.comparison
    spec = TASKS[about["task"]]
    report = spec.report(spec.words)
    pictures = {**results.pictures(comparison), **report.pictures(found)}
    text = report.page(found, pictures)
    for name, png in pictures.items():
        style.write(png, path / folder.FIGURES / name)
    with whole_file(path / folder.REPORT) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path / folder.REPORT
