from __future__ import annotations

from collections import Counter
from dataclasses import fields

import pytest

from pfflow.domain.business_days import Convention
from pfflow.domain.facts import RECORDS
from pfflow.register import aliases
from pfflow.register.aliases import SHEETS
from pfflow.register.columns import Column, Kind, Sheet, Vocabulary, named_sheet, plain
from pfflow.register.rows import enumerations

COLUMNS = [(sheet, column) for sheet in SHEETS for column in sheet.columns]
VOCABULARIES = {name: value for name, value in vars(aliases).items() if name.isupper() and isinstance(value, dict)}


def test_the_sheets_are_those_of_the_records_in_their_order() -> None:
    assert [sheet.name for sheet in SHEETS] == list(RECORDS)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_sheet_has_a_column_for_every_field_and_no_other(sheet: Sheet) -> None:
    assert [column.field for column in sheet.columns] == [field.name for field in fields(RECORDS[sheet.name])]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_no_header_means_two_columns(sheet: Sheet) -> None:
    names = Counter(name for column in sheet.columns for name in {plain(name) for name in column.names()})
    assert [name for name, times in names.items() if times > 1] == []


def test_no_title_means_two_sheets() -> None:
    names = Counter(name for sheet in SHEETS for name in {plain(name) for name in sheet.names()})
    names.update({plain(name) for name in aliases.GUIDE})
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("words", VOCABULARIES.values(), ids=VOCABULARIES)
def test_no_word_means_two_things(words: Vocabulary) -> None:
    names = Counter(name for word, others in words.items() for name in {plain(word), *map(plain, others)})
    assert [name for name, times in names.items() if times > 1] == []
    assert all(others for others in words.values())


@pytest.mark.parametrize(("sheet", "column"), COLUMNS, ids=lambda one: getattr(one, "name", getattr(one, "field", "")))
def test_an_enumerations_words_are_its_members(sheet: Sheet, column: Column) -> None:
    enumeration = enumerations(sheet.name).get(column.field)
    if enumeration is not None:
        assert column.kind is Kind.CHOICE
        assert sorted(column.words) == sorted(enumeration)
    assert bool(column.words) == (column.kind in (Kind.CHOICE, Kind.WORD))


def test_the_conventions_are_those_of_the_domain() -> None:
    assert sorted(aliases.CONVENTIONS) == sorted(Convention)


@pytest.mark.parametrize(
    ("title", "name"),
    [("参与方", "parties"), (" PARTIES ", "parties"), ("Fund_Use", "fund_use"), ("ＲＡＣＩ", "raci"), ("月报", None)],
)
def test_a_title_finds_its_sheet(title: str, name: str | None) -> None:
    found = named_sheet(SHEETS, title)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("sheet", "header", "field"),
    [
        ("parties", "type", "kind"),
        ("parties", "owner_user", "owner_ref"),
        ("contacts", "seniority", "level"),
        ("projects", "calendar(s)", "calendars"),
        ("financials", "party_or_project_ref", "subject_ref"),
        ("fund_use", "date", "paid_on"),
        ("interactions", "when", "at"),
        ("surveys", "party_ref", "respondent_ref"),
        ("surveys", "department", "about_ref"),
        ("surveys", "date", "answered_on"),
    ],
)
def test_the_canonical_names_of_other_systems_are_understood(sheet: str, header: str, field: str) -> None:
    found = next(one for one in SHEETS if one.name == sheet).column_named(header)
    assert found is not None
    assert found.field == field
