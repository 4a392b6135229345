"""The ``guyub`` command: a thin front to Django's management commands, one per thing one does."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run ``guyub <command> ...``; ``guyub`` alone lists the commands."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guyub.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(["guyub", *sys.argv[1:]])


if __name__ == "__main__":
    main()
