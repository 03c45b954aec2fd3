from __future__ import annotations

from pathlib import Path

from pfflow.register.aliases import SHEETS
from pfflow.register.documentation import described

PAGE = Path(__file__).parents[2] / "docs" / "register.md"


def test_the_page_is_the_one_generated_from_the_data() -> None:
    assert PAGE.read_text(encoding="utf-8") == described()


def test_the_page_has_a_row_for_every_column() -> None:
    rows = [line for line in described().splitlines() if line.startswith("| `")]
    assert len(rows) == sum(len(sheet.columns) for sheet in SHEETS)
    assert all(row.count("|") == 8 for row in rows)
