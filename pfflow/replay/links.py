"""What an explanation is made of: links of a chain, each in words and as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from pfflow.domain.words import Json, Words

LETTER_CHAIN = ("letter", "decision", "rung", "date", "obligation", "playbook", "facts", "who", "delivery", "again")
OBLIGATION_CHAIN = ("obligation", "date", "playbook", "life", "letters", "again")

HEADINGS: Mapping[str, Words] = {
    "letter": Words("信件", "Letter"),
    "decision": Words("决定", "Decision"),
    "rung": Words("阶梯", "Rung"),
    "date": Words("日期", "Date"),
    "obligation": Words("事项", "Obligation"),
    "playbook": Words("规则手册", "Playbook"),
    "facts": Words("事实", "Facts"),
    "who": Words("收信人", "To whom"),
    "delivery": Words("投递", "Delivery"),
    "life": Words("经过", "Life"),
    "letters": Words("信件", "Letters"),
    "again": Words("重新决定", "Decided again"),
}


@dataclass(frozen=True, slots=True)
class Link:
    """One link: a line or more in words, the same as data, and whether something it needs is not there."""

    name: str
    lines: tuple[Words, ...]
    data: Mapping[str, Json] = field(default_factory=dict)
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a letter was sent, or what became of an obligation, in links; `same` says that deciding again agrees."""

    subject: str
    kind: str
    links: tuple[Link, ...]
    same: bool

    @property
    def complete(self) -> bool:
        """Whether every link of the chain is there."""
        wanted = LETTER_CHAIN if self.kind == "letter" else OBLIGATION_CHAIN
        there = {link.name for link in self.links if not link.missing and link.lines}
        return there >= set(wanted)

    def as_json(self) -> dict[str, Json]:
        """Give it as JSON: the data of every link by name."""
        return {
            "subject": self.subject,
            "kind": self.kind,
            "complete": self.complete,
            "same": self.same,
            **{link.name: dict(link.data) for link in self.links},
        }

    def text(self, language: str) -> Iterator[str]:
        """Give it line by line in a language."""
        for link in self.links:
            yield HEADINGS[link.name].in_language(language)
            for line in link.lines:
                yield f"  {line.in_language(language)}"
