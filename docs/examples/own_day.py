"""Your own LOBSTER day to a report: how a sale of some lots would have gone, window by window, strategy by strategy.

Run: python docs/examples/own_day.py DAY FOLDER [FROM UNTIL], such as LOBSTER_SampleFile_AMZN_2012-06-21_5.zip out 10:00 15:30
"""

import sys
from pathlib import Path

from backtest.config import BacktestConfig
from backtest.run import run
from lobjax.data import load_day, summary
from lobjax.results import show
from lobjax.tasks import EnvConfig, ExecutionConfig, MarketConfig, RecordedConfig

LOTS, DECISIONS, STEP_S = 100, 10, 6.0  # of each window of a minute
CAPACITY, MESSAGES = 256, 4096  # orders a side of the book, and messages between two decisions


def main(day: Path, out: Path, first: str = "10:00", until: str = "15:30") -> None:
    for name, said in summary(load_day(day)):
        print(f"{name}: {said}")

    hours = RecordedConfig(path=day, from_time=first, until_time=until, start_every_s=DECISIONS * STEP_S)
    env = EnvConfig(
        task=ExecutionConfig(side="sell", lots=LOTS, decisions=DECISIONS, step_s=STEP_S, reference="same"),
        flow=hours,
        market=MarketConfig(capacity=CAPACITY, max_messages=MESSAGES),
    )
    # VWAP is left out: its volume profile wants hours that are not traded (`profile`).
    config = BacktestConfig(env=env, strategies=("twap", "submit_and_leave", "immediate"))
    comparison = run(config, None, out, "python docs/examples/own_day.py")
    show(comparison)
    print(f"{out / 'report.html'}: open it in a browser")


if __name__ == "__main__":
    given, folder, *times = sys.argv[1:]
    main(Path(given), Path(folder), *times)
