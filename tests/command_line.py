"""The command line as people call it, in this process: what it says, what it refuses, and its exit status."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import MetaData, create_engine, select

from pfflow.cli import main

ROOT = Path(__file__).parents[1]
EXPRESSWAY = ROOT / "examples" / "expressway"
SOLAR = ROOT / "examples" / "solar"


@dataclass(frozen=True)
class Said:
    """What a call said and how it ended."""

    status: int
    out: str
    err: str


def pfflow(*arguments: object) -> Said:
    """Call the command line; anything but an exit, a traceback that is, goes through to the test."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    status = ended.value.code
    assert isinstance(status, int | None)
    return Said(status or 0, out.getvalue(), err.getvalue())


def done(*arguments: object) -> str:
    """Call the command line for something that must succeed; gives what it said."""
    said = pfflow(*arguments)
    assert (said.status, said.err) == (0, ""), said
    return said.out


def settle_in(monkeypatch: pytest.MonkeyPatch, home: Path, url: str = "") -> Path:
    """Give the command line a home and a database of its own; gives the home."""
    monkeypatch.setenv("PFFLOW_HOME", str(home))
    monkeypatch.setenv("PFFLOW_DB", url)
    for name in ("PFFLOW_MAIL", "PFFLOW_MAILBOX", "PFFLOW_TEMPLATES"):
        monkeypatch.delenv(name, raising=False)
    return home


def every_row(url: str) -> Mapping[str, list[str]]:
    """Give every row of every table, as text, in order."""
    engine = create_engine(url)
    metadata = MetaData()
    try:
        with engine.connect() as connection:
            metadata.reflect(connection)
            return {
                name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
                for name, table in metadata.tables.items()
            }
    finally:
        engine.dispose()
