"""`python -m bench resume`: a run is killed at random moments and resumed; it must end as the one that never was, to the bit."""

import json
import random
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

from bench import recording
from lobjax.errors import InputError
from lobjax.ranges import Range, Seed, ranged


@ranged
def resume(
    *,
    kills: Annotated[int, Range(1, 10_000)] = 20,
    seed: Seed = 0,
    config: Path = Path("configs/train/smoke.yaml"),
    out: Path | None = None,
) -> None:
    """Run CONFIG once to its end, then again and again: SIGKILL at a random moment, resume, compare hash of the state and metrics.

    Every other moment is drawn over the time before the first update; every other is within 20 ms after an update that is drawn, so that
    neither start nor training is missed, however busy the machine. One that comes too late, at a process that has ended, counts as
    no kill and is drawn again. The last line printed is JSON.

    Args:
        kills: How many runs are killed.
        seed: Of the moments, and of the runs.
        config: What is trained; its runs should last seconds.
        out: A file of JSON lines that the record is added to.
    """
    if not config.is_file():
        raise InputError(f"--config {config}: no such file; run this in the repository's root or name another")
    recording.check_out(out)
    from bench.verification import kills as work

    work.check(config, seed)
    folder = Path(tempfile.mkdtemp(prefix="lobjax-kills-"))
    try:
        first_s = work.run_whole(config, folder / "whole", seed)
        wanted, lines = work.digest_of(folder / "whole"), work.metric_lines(folder / "whole")
        print(f"never killed: the first of {len(lines)} updates after {first_s:.1f} s, {wanted}\n")
        print("kill     at s  checkpoints  update  state  metrics", flush=True)
        draw, done = random.Random(seed), []
        while len(done) < kills:
            training = len(done) % 2 == 1
            updates = draw.randint(1, max(1, len(lines) - 1)) if training else 0
            after = draw.uniform(0, 0.02 if training else first_s)
            killed, lasted = work.kill_and_resume(folder / "killed", config, seed, updates, after, wanted, lines)
            if killed is None:
                if not training:  # faster than the first, which may have compiled Numba code
                    first_s = min(first_s, lasted)
                continue
            done.append(killed)
            words = ["equal" if same else "DIFFERENT" for same in (killed.digest_equal, killed.metrics_equal)]
            row = f"{len(done):4}  {killed.at_s:7.2f}  {killed.checkpoints:11}  {killed.update:6}"
            print(row, *words, sep="  ", flush=True)
    finally:
        shutil.rmtree(folder)
    equal = sum(k.digest_equal and k.metrics_equal for k in done)
    record = {"bench": "resume", "config": str(config), "seed": seed, "first_update_s": recording.rounded(first_s)}
    recording.append(
        out, record | {"digest": wanted, "at": [k._asdict() for k in done], "kills": kills, "equal": equal}
    )
    print(json.dumps({"kills": kills, "equal": equal}))
    if equal != kills:
        raise SystemExit(1)
