"""`python -m lobjax arena demo`: an arena to look at, live."""

import time
from pathlib import Path
from typing import Annotated

import tyro

from lobjax.config import load_yaml, override
from lobjax.ranges import Range, Seed, ranged


@ranged
def demo(
    config: tyro.conf.Positional[Path],
    /,
    *,
    seed: Seed = 0,
    frames_per_s: Annotated[float, Range(0.1, 1000.0)] = 4.0,
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY.PATH=VALUE ...")] = (),
) -> None:
    """Show one episode of an arena, every seat by its role's baseline: the books, the last trades and every seat's position.

    Where the output is no terminal, every decision is printed below the one before, without waiting.

    Args:
        config: the YAML configuration of the arena, see configs/arena/.
        seed: of the episode.
        frames_per_s: decisions shown a second.
        set: replace values of the configuration, such as decisions=50.
    """
    described = override(load_yaml(config), [*set])
    from rich.console import Console
    from rich.live import Live

    from lobjax.arena import arena_config, make_arena
    from lobjax.arena.demo import frames, rendered
    from lobjax.arena.playing import baselines

    arena, console = make_arena(arena_config(described, str(config))), Console()
    episode = frames(arena, baselines(arena), seed)
    if not console.is_terminal:
        for frame in episode:
            console.print(rendered(arena, frame), "", sep="\n")
        return
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as live:
        for frame in episode:
            live.update(rendered(arena, frame), refresh=True)
            time.sleep(1 / frames_per_s)


COMMANDS = {"demo": demo}
