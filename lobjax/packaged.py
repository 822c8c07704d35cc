"""The configurations that come with the package, by name: `lobjax/configs`, in the repository a link to configs/."""

from pathlib import Path
from typing import Literal

from lobjax.errors import InputError, nearest
from lobjax.reading import is_file

Use = Literal["train", "sweep", "backtest", "arena", "forecast"]
FOLDER = Path(__file__).parent / "configs"


def names(use: Use) -> list[str]:
    """What `configuration` knows by name."""
    return sorted(path.stem for path in (FOLDER / use).glob("*.yaml"))


def configuration(name: str | Path, use: Use) -> Path:
    """The file that is meant: a path, or the bare name of one that comes with the package, such as "smoke".

    A file of that name in the working directory comes first. InputError for a bare name that is neither, with the nearest.
    """
    path = Path(name)
    if path.suffix or len(path.parts) != 1 or path.name == ".." or is_file(path):
        return path
    if path.name not in (known := names(use)):
        raise InputError(f"{name}: neither a file nor the name of a configuration; {nearest(path.name, known)}")
    return FOLDER / use / f"{path.name}.yaml"
