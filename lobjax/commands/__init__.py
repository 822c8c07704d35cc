"""What the groups of `python -m lobjax` take: a module each with its `COMMANDS`; nothing heavy is imported before one runs."""
