"""The register: XLSX and CSV in, in Chinese or English, each problem with its sheet, row and column; and XLSX out."""

from __future__ import annotations

from pfflow.register.difference import Changes, FieldChange, RecordChange, SheetChanges, changes, merged
from pfflow.register.problems import Problem, Severity
from pfflow.register.reading import Reading, read_register
from pfflow.register.writing import blank_register, write_register

__all__ = [
    "Changes",
    "FieldChange",
    "Problem",
    "Reading",
    "RecordChange",
    "Severity",
    "SheetChanges",
    "blank_register",
    "changes",
    "merged",
    "read_register",
    "write_register",
]
