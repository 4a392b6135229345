from __future__ import annotations

import re

import pytest

from guyub import cli


@pytest.mark.parametrize("arguments", [[], ["help"], ["--help"]])
def test_without_a_command_its_own_commands_are_listed(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["guyub", *arguments])
    cli.main()
    listed = re.findall(r"^  (\S+)  +(\S.*)$", capsys.readouterr().out, re.MULTILINE)
    names = [name for name, _help in listed]
    assert names[:5] == ["demo", "setup", "load", "account", "serve"]
    assert {"worker", "import"} <= set(names)
    assert "migrate" not in names, "Django's are left out"
    assert "runserver" not in names


def test_a_command_is_handed_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["guyub", "demo", "--help"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert "--households" in capsys.readouterr().out
