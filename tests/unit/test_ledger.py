from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfflow.domain.ledger import GENESIS, Entry, EntryDraft, canonical_json, chained, first_break

AT = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)


def chain(count: int = 5) -> list[Entry]:
    drafts = [
        EntryDraft(at=AT, stage="communication", kind="planned", subject=f"G1/report/{n}", data={"n": n, "名": "报告"})
        for n in range(count)
    ]
    return list(chained("G1", 0, GENESIS, drafts))


def rehashed(entries: list[Entry]) -> list[Entry]:
    """Give the chain hashed anew from the start, as somebody with the code and the database would do it."""
    previous, done = GENESIS, []
    for entry in entries:
        bare = replace(entry, previous=previous)
        done.append(replace(bare, digest=bare.expected_digest()))
        previous = done[-1].digest
    return done


def broken_at(entries: list[Entry], head: Entry | None = None) -> int | None:
    end = head or chain()[-1]
    found = first_break("G1", entries, end.seq, end.digest)
    return found.seq if found else None


def test_a_chain_that_nobody_touched_is_whole() -> None:
    assert broken_at(chain()) is None
    assert first_break("G1", [], 0, GENESIS) is None


def test_a_chain_continues_where_it_ended() -> None:
    first = chain(2)
    more = chained("G1", 2, first[-1].digest, [EntryDraft(at=AT, stage="communication", kind="fired", subject="G1/x")])
    assert [e.seq for e in (*first, *more)] == [1, 2, 3]
    assert broken_at([*first, *more], more[-1]) is None


def test_the_first_entry_carries_nothing_before_it() -> None:
    assert chain()[0].previous == "0" * 64


@pytest.mark.parametrize(
    "change",
    [
        {"at": "2026-01-06T01:00:00+00:00"},
        {"stage": "evaluation"},
        {"kind": "fired"},
        {"subject": "G1/report/9"},
        {"data": '{"n":2,"名":"报表"}'},
        {"project_ref": "G2"},
        {"digest": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_any_field_breaks_the_chain_at_that_entry(change: dict[str, str]) -> None:
    entries = chain()
    entries[2] = replace(entries[2], **change)  # type: ignore[arg-type]  # every changed field is a text
    assert broken_at(entries) == 3


def test_a_change_that_is_hashed_again_breaks_the_chain_at_the_next_entry() -> None:
    entries = chain()
    changed = replace(entries[2], kind="fired")
    entries[2] = replace(changed, digest=changed.expected_digest())
    assert broken_at(entries) == 4


def test_an_entry_that_names_another_before_it_is_where_the_chain_breaks() -> None:
    entries = chain()
    moved = replace(entries[2], previous=entries[0].digest)
    entries[2] = replace(moved, digest=moved.expected_digest())
    assert broken_at(entries) == 3


@pytest.mark.parametrize("gone", [0, 1, 3])
def test_an_entry_that_was_removed_is_the_one_that_is_missing(gone: int) -> None:
    entries = chain()
    del entries[gone]
    assert broken_at(entries) == gone + 1


def test_entries_removed_from_the_end_are_missed_by_the_head() -> None:
    assert broken_at(chain()[:-2]) == 4
    assert broken_at([]) == 1


def test_an_entry_added_at_the_end_is_not_the_heads() -> None:
    more = chained("G1", 5, chain()[-1].digest, [EntryDraft(at=AT, stage="s", kind="sent", subject="G1/forged")])
    assert broken_at([*chain(), *more]) == 6


def test_two_entries_that_changed_places_break_at_the_first_of_them() -> None:
    entries = chain()
    entries[1], entries[2] = entries[2], entries[1]
    assert broken_at(entries) == 2


def test_an_entry_written_in_between_breaks_where_it_stands() -> None:
    entries = chain()
    entries.insert(2, replace(entries[1], subject="G1/forged"))
    assert broken_at(entries) == 3


def test_a_whole_chain_hashed_anew_is_not_the_one_the_head_names() -> None:
    entries = chain()
    entries[1] = replace(entries[1], kind="waived")
    found = first_break("G1", rehashed(entries), 5, chain()[-1].digest)
    assert found is not None
    assert (found.seq, found.what) == (
        5,
        "the chain was rewritten: entry 5 is not the one the project's head names",
    )


def test_what_is_wrong_is_said_with_the_entrys_number() -> None:
    entries = chain()
    entries[2] = replace(entries[2], subject="x")
    found = first_break("G1", entries, 5, entries[-1].digest)
    assert found is not None
    assert (found.project_ref, found.what) == ("G1", "entry 3 was changed: its content does not match its hash")


@given(st.integers(min_value=0, max_value=4), st.integers(min_value=0), st.integers(min_value=0, max_value=255))
def test_any_byte_of_any_entry_counts(number: int, place: int, byte: int) -> None:
    entries = chain()
    raw = bytearray(entries[number].data.encode())
    raw[place % len(raw)] = byte
    data = raw.decode(errors="replace")
    if data != entries[number].data:
        entries[number] = replace(entries[number], data=data)
        assert broken_at(entries) == number + 1


def test_a_value_has_one_text_whatever_the_order_of_its_keys() -> None:
    assert canonical_json({"b": 1, "a": {"d": "值", "c": None}}) == canonical_json(
        {"a": {"c": None, "d": "值"}, "b": 1}
    )
    assert canonical_json({"b": [1, 2], "a": "é"}) == '{"a":"é","b":[1,2]}'


def test_a_number_that_is_none_has_no_text() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"n": float("nan")})
