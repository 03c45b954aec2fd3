"""An .xlsx file to raw sheets: values by calamine, everything calamine does not tell by a scan of the XML."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from pfflow.register.problems import Problem, UnreadableError
from pfflow.register.scan import SheetScan, WorkbookScan, check_sizes, scan_sheet, scan_workbook
from pfflow.register.source import CELLS, RawSheet, Source

PACKED = 64 * 2**20
"""The most bytes a workbook may have on disk."""

_COMPOUND_FILE = b"\xd0\xcf\x11\xe0"
"""The head of an OLE compound file: a workbook with a password, or Excel's format before 2007."""

_SAVE_AS = "save it in Excel as .xlsx"


def sheets_of_workbook(path: Path) -> Source:
    """Give the sheets of a workbook; what keeps it, or one sheet of it, from being read is a problem, never raised."""
    try:
        _check_head(path)
        with zipfile.ZipFile(path) as archive:
            check_sizes(archive)
            scan = scan_workbook(archive)
            return _sheets(path, archive, scan)
    except UnreadableError as error:
        return Source(problems=(Problem(file=path.name, what=error.what, expected=error.expected),))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        damaged = f"is no workbook, or a damaged one ({error})"
        return Source(problems=(Problem(file=path.name, what=damaged, expected=_SAVE_AS),))
    except CalamineError as error:
        damaged = f"cannot be read as a workbook ({error})"
        return Source(problems=(Problem(file=path.name, what=damaged, expected=_SAVE_AS),))
    except OSError as error:
        unreadable = f"cannot be opened ({error.strerror or error})"
        return Source(problems=(Problem(file=path.name, what=unreadable, expected="check the path and the rights"),))


def _check_head(path: Path) -> None:
    with path.open("rb") as stream:
        head = stream.read(8)
    if not head:
        raise UnreadableError("is empty", _SAVE_AS)
    if head.startswith(_COMPOUND_FILE):
        raise UnreadableError(
            "is protected by a password, or in Excel's format before 2007", "save it as .xlsx without a password"
        )
    size = path.stat().st_size
    if size > PACKED:
        raise UnreadableError(f"has {size // 2**20:,} MB", f"keep it below {PACKED // 2**20} MB")


def _sheets(path: Path, archive: zipfile.ZipFile, scan: WorkbookScan) -> Source:
    sheets: list[RawSheet] = []
    problems: list[Problem] = []
    with CalamineWorkbook.from_path(path) as workbook:
        titles = [one.name for one in workbook.sheets_metadata if one.typ is SheetTypeEnum.WorkSheet]
        for title in titles:
            try:
                found = _scanned(archive, scan, title)
                sheets.append(_sheet(path.name, workbook, title, found, days_from_1904=scan.days_from_1904))
            except UnreadableError as error:
                problems.append(Problem(file=path.name, sheet=title, what=error.what, expected=error.expected))
            except CalamineError as error:
                what = f"cannot be read ({error})"
                problems.append(Problem(file=path.name, sheet=title, what=what, expected=_SAVE_AS))
    return Source(tuple(sheets), tuple(problems))


def _scanned(archive: zipfile.ZipFile, scan: WorkbookScan, title: str) -> SheetScan:
    part = scan.parts.get(title)
    if part is None:
        raise UnreadableError("has no part in the workbook", _SAVE_AS)
    found = scan_sheet(archive, part, scan.percent_styles)
    if found.too_large:
        raise UnreadableError(
            f"reaches over {found.rows:,} rows and {found.columns:,} columns, more than {CELLS:,} cells",
            "delete the rows and columns below and right of the table",
        )
    return found


def _sheet(file: str, workbook: CalamineWorkbook, title: str, found: SheetScan, *, days_from_1904: bool) -> RawSheet:
    sheet = workbook.get_sheet_by_name(title)
    return RawSheet(
        file=file,
        title=title,
        rows=sheet.to_python(skip_empty_area=False) if found.rows else [],
        merged=tuple(sheet.merged_cell_ranges or ()),
        traps=found.traps,
        percents=frozenset(found.percents),
        days_from_1904=days_from_1904,
    )
