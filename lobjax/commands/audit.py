"""`python -m lobjax audit verify|mend`: logs in which a change shows."""

import json
import sys
from pathlib import Path
from typing import Annotated

import tyro

from lobjax.errors import InputError
from lobjax.ranges import Range, ranged


@ranged
def verify(
    log: tyro.conf.Positional[Path],
    /,
    *,
    count: Annotated[int, Range(0, 2**62)] | None = None,
    last: str | None = None,
) -> None:
    """Check every record of an audit log; one JSON line, and status 1 where something is wrong, with the first bad record named.

    Args:
        log: JSON lines, as `lobjax.audit.append` writes them.
        count: Records that it should have, as kept elsewhere: without that, a tail that was cut off does not show.
        last: The hash of the last of them.
    """
    if (count is None) != (last is None):
        raise InputError("--count and --last go together; give both, or neither")
    from lobjax import audit

    found = audit.verify(log, None if count is None or last is None else (count, last))
    said = {"ok": found.ok, "records": found.count, "last": found.last, "first_bad": found.first_bad, "why": found.why}
    print(json.dumps(said, ensure_ascii=False))
    if not found.ok:
        print(f"error: {log}: record {found.first_bad}: {found.why}", file=sys.stderr)
        raise SystemExit(1)


def mend(log: tyro.conf.Positional[Path], /, *, actor: str) -> None:
    """Take off a last line that a killed process left torn, keep its bytes beside the log, and add a record that says so.

    Args:
        log: JSON lines, as `lobjax.audit.append` writes them.
        actor: Who does it.
    """
    from lobjax import audit

    print(json.dumps({"torn_bytes": audit.mend(log, actor)}))


COMMANDS = {"verify": verify, "mend": mend}
