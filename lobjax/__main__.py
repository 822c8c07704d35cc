"""`python -m lobjax data build|inspect`: recorded days."""

import sys

from lobjax.errors import exits_cleanly, nearest

GROUPS = ("data",)


@exits_cleanly
def main(args: list[str]) -> None:
    """Hand the arguments to the group of commands that the first one names."""
    if not args or args[0] in ("-h", "--help"):
        print(
            "usage: python -m lobjax data {build,inspect} ...\n\nRecorded days of order flow; `python -m lobjax data --help` says more."
        )
        raise SystemExit(0 if args else 2)
    if args[0] not in GROUPS:
        print(f"error: no command '{args[0]}'; {nearest(args[0], GROUPS)}", file=sys.stderr)
        raise SystemExit(2)
    from lobjax.data import cli  # after the usage, which should not wait for compiled modules

    cli.main(args[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
