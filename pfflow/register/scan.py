"""What a workbook's XML says and calamine does not: a sheet's reach, formulas never calculated, errors, percents.

calamine gives an empty text for an error and for a formula without a value, forgets that 0.25 is shown as 25%, and
allocates the whole rectangle up to the last cell: one value in XFD1048576 ends the process. So each sheet is streamed
once, with bounds, before calamine may read it. Documents with a DOCTYPE are refused, so no entity can expand.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from pfflow.register.problems import UnreadableError
from pfflow.register.source import CELLS, Place, Trap, place_of

UNPACKED = 256 * 2**20
"""The most bytes a workbook may unpack to."""

_CHUNK = 2**16
_PERCENT_FORMATS = frozenset({"9", "10"})
"""ISO/IEC 29500-1 §18.8.30: the built-in formats 0% and 0.00%."""

_UNCALCULATED = "a formula that was never calculated"
_CALCULATE = "open the file in Excel and save it, or write the value"
_WORKBOOK = "xl/workbook.xml"

Start = Callable[[str, Mapping[str, str]], None]
End = Callable[[str], None]
Data = Callable[[str], None]


@dataclass(slots=True)
class SheetScan:
    """What the XML of one sheet says: `rows` × `columns` from A1 to the last value, and what stands in single cells."""

    rows: int = 0
    columns: int = 0
    traps: dict[Place, Trap] = field(default_factory=dict)
    percents: set[Place] = field(default_factory=set)

    @property
    def too_large(self) -> bool:
        """Whether reading it would take memory out of proportion."""
        return self.rows * self.columns > CELLS


@dataclass(frozen=True, slots=True)
class WorkbookScan:
    """Where each sheet's XML is, which cell styles show percentages, and whether days count from 1904."""

    parts: Mapping[str, str]
    percent_styles: frozenset[str]
    days_from_1904: bool


def check_sizes(archive: zipfile.ZipFile) -> None:
    """Raise UnreadableError where a workbook unpacks to more than it may, or to more than it says."""
    total = sum(entry.file_size for entry in archive.infolist())
    if total > UNPACKED:
        raise UnreadableError(
            f"unpacks to {total // 2**20:,} MB",
            f"keep it below {UNPACKED // 2**20} MB; delete empty formatted rows and pictures",
        )
    for entry in archive.infolist():
        with archive.open(entry) as part:
            while part.read(_CHUNK * 16):
                pass


def scan_workbook(archive: zipfile.ZipFile) -> WorkbookScan:
    """Give the sheets' parts and the percentage styles; raises UnreadableError where it is no workbook."""
    ids: dict[str, str] = {}
    from_1904: list[bool] = []
    targets: dict[str, str] = {}

    def sheet(name: str, attributes: Mapping[str, str]) -> None:
        if name == "sheet":
            ids[attributes.get("name", "")] = next((v for k, v in attributes.items() if _local(k) == "id"), "")
        elif name == "workbookPr":
            from_1904.append(attributes.get("date1904", "0") in ("1", "true"))

    def relationship(name: str, attributes: Mapping[str, str]) -> None:
        if name == "Relationship":
            targets[attributes.get("Id", "")] = posixpath.normpath(
                posixpath.join("xl", attributes.get("Target", ""))
            ).lstrip("/")

    _parsed(archive, _WORKBOOK, sheet)
    _parsed(archive, "xl/_rels/workbook.xml.rels", relationship)
    parts = {title: targets[key] for title, key in ids.items() if key in targets}
    return WorkbookScan(parts, _percent_styles(archive), any(from_1904))


def scan_sheet(archive: zipfile.ZipFile, part: str, percent_styles: frozenset[str]) -> SheetScan:
    """Stream a sheet's XML once; memory is bound by its traps and percentages."""
    reader = _SheetReader(percent_styles)
    _parsed(archive, part, reader.start, reader.end, reader.data)
    return reader.found


class _SheetReader:
    """The handlers for one sheet; `c` is a cell, `f` its formula, `v` or `is` its value (ISO/IEC 29500-1 §18.3.1.4)."""

    def __init__(self, percent_styles: frozenset[str]) -> None:
        self.found = SheetScan()
        self._percent_styles = percent_styles
        self._row = -1
        self._column = -1
        self._reference = ""
        self._attributes: Mapping[str, str] = {}
        self._formula = False
        self._text: list[str] | None = None
        self._filled = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "row":
            reference = attributes.get("r", "")
            self._row = int(reference) - 1 if reference.isdecimal() else self._row + 1
            self._column, self._reference = -1, ""
        elif name == "c":
            if "r" in attributes:
                self._reference = attributes["r"]
            else:
                self._locate()
                self._column += 1
            self._attributes, self._formula, self._filled = attributes, False, False
        elif name == "f":
            self._formula = True
        elif name in ("v", "t"):
            self._text = []

    def data(self, text: str) -> None:
        # A few characters tell an error's name and whether there is a value; a cell of megabytes is not kept.
        if self._text is not None and len(self._text) < 4:
            self._text.append(text[:40])

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            text = "".join(self._text or ())
            self._filled = self._filled or bool(text)
            if self._attributes.get("t") == "e" and name == "v":
                self._trap(text, "an error of Excel", "correct the formula, or write the value")
            self._text = None
        elif name == "c":
            self._cell_ends()

    def _locate(self) -> None:
        # Empty formatted cells come by the million, so a reference is read only when its place is asked for.
        if self._reference:
            if not re.fullmatch(r"[A-Z]{1,3}[0-9]{1,7}", self._reference):
                raise UnreadableError(f"has a cell without a place ({self._reference[:20]})", "save it again in Excel")
            self._row, self._column = place_of(self._reference)
            self._reference = ""

    def _cell_ends(self) -> None:
        if self._formula and not self._filled and self._attributes.get("t") != "str":
            self._trap("", _UNCALCULATED, _CALCULATE)
        if self._filled or self._formula:
            self._locate()
            self.found.rows = max(self.found.rows, self._row + 1)
            self.found.columns = max(self.found.columns, self._column + 1)
            if self._attributes.get("s") in self._percent_styles and self._attributes.get("t", "n") == "n":
                self.found.percents.add((self._row, self._column))

    def _trap(self, shown: str, what: str, expected: str) -> None:
        self._locate()
        self.found.traps[self._row, self._column] = Trap(shown, what, expected)


def _percent_styles(archive: zipfile.ZipFile) -> frozenset[str]:
    formats = set(_PERCENT_FORMATS)
    styles: list[str] = []
    inside: list[str] = []

    def start(name: str, attributes: Mapping[str, str]) -> None:
        if name == "numFmt" and "%" in attributes.get("formatCode", "") and '"%"' not in attributes["formatCode"]:
            formats.add(attributes.get("numFmtId", ""))
        elif name == "cellXfs":
            inside.append(name)
        elif name == "xf" and inside:
            styles.append(attributes.get("numFmtId", ""))

    def end(name: str) -> None:
        if name == "cellXfs":
            inside.clear()

    if "xl/styles.xml" in archive.namelist():
        _parsed(archive, "xl/styles.xml", start, end)
    return frozenset(str(index) for index, number_format in enumerate(styles) if number_format in formats)


def _parsed(
    archive: zipfile.ZipFile, part: str, start: Start, end: End | None = None, data: Data | None = None
) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: start(_local(name), attributes)
    if end is not None:
        parser.EndElementHandler = lambda name: end(_local(name))
    if data is not None:
        parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = _refuse
    try:
        with archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except KeyError:
        raise UnreadableError(f"has no part {part}", "save it in Excel as .xlsx") from None
    except UnreadableError:
        raise
    except (expat.ExpatError, ValueError) as error:
        raise UnreadableError(f"its part {part} is damaged ({error})", "save it again in Excel as .xlsx") from None


def _local(name: str) -> str:
    return name.rpartition(":")[2] if ":" in name else name


def _refuse(*_: object) -> None:
    raise UnreadableError("declares a document type, as no workbook does", "save it again in Excel as .xlsx")
