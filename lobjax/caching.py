"""Where Numba keeps compiled code: a folder named by the sources, so that an edit can never meet stale code.

Numba looks only at the file that holds a function, not at the functions it calls in other files.
"""

import hashlib
import os
from pathlib import Path

_CONSTANTS = ("types.py", "kinds.py", "clock.py", "words.py", "day.py", "fixed.py")


def set_up() -> None:
    """Point Numba at this version's folder, before Numba is first imported. NUMBA_CACHE_DIR, where it is set, is left alone."""
    if "NUMBA_CACHE_DIR" in os.environ:
        return
    root = Path(__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        source = path.read_bytes()
        if b"numba" in source or path.name in _CONSTANTS:  # what Numba compiles, and the constants that it bakes in
            digest.update(str(path.relative_to(root)).encode() + source)
    home = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    os.environ["NUMBA_CACHE_DIR"] = str(home / "lobjax" / f"numba-{digest.hexdigest()[:16]}")
