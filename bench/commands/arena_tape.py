"""`python -m bench arena-tape`: what anyone needs to check an arena with a book of their own."""

import json
from pathlib import Path
from typing import Annotated, Literal

import tyro

from lobjax.config import load_yaml, override
from lobjax.errors import InputError
from lobjax.files import whole_file
from lobjax.ranges import Range, Seed, ranged


@ranged
def arena_tape(
    config: tyro.conf.Positional[Path],
    /,
    *,
    out: Path,
    episodes: Annotated[int, Range(1, 1 << 16)] = 1,
    seed: Seed = 0,
    play: Literal["baselines", "random"] = "baselines",
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY.PATH=VALUE ...")] = (),
) -> None:
    """Play episodes of an arena and write, for every venue of each, the opening book, every message as the book got it (after limits,
    closing ones included, in order), the final book and the accounts.

    Arrays, E = episodes x venues: venue_of int32 [E]; opening_bids, opening_asks, bids, asks int32 [E, N, 4] (price, size, order id,
    owner, first in priority first); messages int32 [E, M, 6] (kind, side, price, size, order id, owner; NOOPs of zeros at the end);
    lots int32 [E, A + 1]; cash int64 [E, A + 1], ticks x lots before fees; fees int64 [E, A + 1], milliticks. Row 0 is the background.

    Args:
        config: the YAML configuration of the arena, see configs/arena/.
        out: the .npz file to write, whole or not at all.
        episodes: how many.
        seed: of the episodes.
        play: every seat by its role's baseline, or at random.
        set: replace values of the configuration, such as decisions=50.
    """
    described = override(load_yaml(config), [*set])
    if out.is_dir():
        raise InputError(f"--out {out}: is a folder; name a file")
    import numpy as np

    from bench.verification.arena.tape import tape_of
    from lobjax.arena import arena_config

    arrays = tape_of(arena_config(described, str(config)), episodes, seed, play)
    with whole_file(out) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
    said = {
        "episodes": episodes,
        "venues": int(arrays["venue_of"].max()) + 1,
        "messages": int((arrays["messages"][..., 0] > 0).sum()),
    }
    print(json.dumps({**said, "out": str(out)}))
