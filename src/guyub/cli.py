"""The ``guyub`` command: a thin front to Django's management commands, one per thing one does."""

from __future__ import annotations

import os
import sys

# The commands in the order in which one comes to need them; any other of Guyub's follows.
ORDER = (
    "demo",
    "setup",
    "load",
    "account",
    "serve",
    "worker",
    "remind",
    "import",
    "daily",
    "rekey",
    "wall",
    "audit",
    "backup",
    "restore",
)
# What these write goes to people who read Indonesian, whoever started them.
LASTING = frozenset({"serve", "worker", "daily", "remind", "digest", "obstacles", "demo"})


def main() -> None:
    """Run ``guyub <command> ...``; ``guyub`` alone lists the commands."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guyub.settings")
    if sys.argv[1:] in ([], ["help"], ["-h"], ["--help"]):
        print(overview())
        return
    from django.core.management import execute_from_command_line

    if sys.argv[1] not in LASTING:
        speak()
    execute_from_command_line(["guyub", *sys.argv[1:]])


def speak() -> None:
    """Speak the language of ``GUYUB_LANGUAGE`` (``en``), else Indonesian."""
    wanted = os.environ.get("GUYUB_LANGUAGE", "")
    if not wanted:
        return
    import django
    from django.conf import settings
    from django.utils import translation

    django.setup()
    if wanted in dict(settings.LANGUAGES):
        translation.activate(wanted)


def overview() -> str:
    """Return a short list of Guyub's own commands; Django's are left out."""
    import django
    from django.core.management import get_commands, load_command_class
    from django.utils.translation import gettext as _

    django.setup()
    speak()
    helps = {
        name: str(load_command_class(app, name).help)
        for name, app in get_commands().items()
        if isinstance(app, str) and app.startswith("guyub.")
    }
    known = [name for name in ORDER if name in helps]
    names = known + sorted(set(helps) - set(known))
    width = max(len(name) for name in names)
    lines = [
        _("Guyub: satu data bersama untuk penanggulangan kemiskinan"),
        "",
        _("Cara pakai: guyub PERINTAH [PILIHAN]"),
        "",
        *(f"  {name:<{width}}  {helps[name]}" for name in names),
        "",
        _("Rincian sebuah perintah: guyub PERINTAH --help"),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
