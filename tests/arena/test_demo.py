"""An arena to look at: frames say what the state says, and the command prints every decision."""

import io

import numpy as np
import pytest
import yaml
from rich.console import Console

from lobjax.__main__ import main
from lobjax.arena import make_arena
from lobjax.arena.demo import frames, rendered
from lobjax.arena.playing import baselines
from tests.arena.small import config

ROLES = {"market_maker": {"seats": 2}, "momentum": {"seats": 1, "lookback": 2, "threshold_ticks": 0.2}}
ARENA = {"roles": ROLES, "venues": [{"informed_per_tick_s": 0.3, "band_ticks": 40}], "decisions": 8}


@pytest.fixture(scope="module")
def episode():
    arena = make_arena(config(**ARENA))
    return arena, list(frames(arena, baselines(arena), 1))


def test_a_frame_shows_the_book_the_trades_and_every_seat(episode):
    arena, shown = episode
    assert [frame.decision for frame in shown] == list(range(9))
    last = shown[-1]
    assert last.status == ("over",) * 3 and not last.position.any()
    assert shown[3].seats_lots.sum() > 0 and (shown[3].seats_lots <= shown[3].lots).all()
    assert np.abs(np.stack([frame.position for frame in shown])).any()
    newest = shown[-1].trades[0]
    assert 0 < len(newest) <= 6 and [one.decision for one in newest] == sorted(
        (one.decision for one in newest), reverse=True
    )
    console = Console(width=110, record=True, file=io.StringIO())
    console.print(rendered(arena, shown[3]))
    text = console.export_text()
    for part in ("decision 3 of 8", "venue 0", "last trades", "market_maker_1", str(int(shown[3].prices[0, 0, 0]))):
        assert part in text


def test_the_command_prints_one_frame_for_every_decision_where_there_is_no_terminal(tmp_path, capsys):
    (tmp_path / "arena.yaml").write_text(yaml.safe_dump(ARENA | {"levels": 3, "capacity": 64, "max_messages": 96}))
    main(["arena", "demo", str(tmp_path / "arena.yaml"), "--seed", "1", "--set", "decisions=2"])
    said = capsys.readouterr().out
    assert [f"decision {t} of 2" in said for t in range(3)] == [True] * 3
