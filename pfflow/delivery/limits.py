"""What may leave: the allow-list, the cap of a run, the stop switch. Nothing is live unless someone says so."""

from __future__ import annotations

from dataclasses import dataclass

from pfflow.delivery.headers import checked_address

MAILBOX_EXTENSION = "x-pfflow-mailbox"
"""What the local mailbox announces at EHLO, so that no other server is ever taken for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPolicy:
    """What keeps letters back. Not live: only the local mailbox gets them. Live: only addresses on the allow-list.

    `allow` holds addresses and @domains; an entry for a domain does not hold for its subdomains. `cap_per_run` is how
    many letters one mailer sends in its life.
    """

    live: bool = False
    allow: tuple[str, ...] = ()
    cap_per_run: int = 500
    stopped: bool = False

    def __post_init__(self) -> None:
        for entry in self.allow:
            checked_address(f"anyone{entry}" if entry.startswith("@") else entry)

    def reason_to_hold(self, address: str, sent: int) -> str:
        """Give why a letter to a checked address is kept back after `sent` others went out; empty if it may go.

        >>> MailPolicy(live=True, allow=("@bank.example",)).reason_to_hold("ana@mail.bank.example", 0)
        'not on the allow-list'
        """
        if self.stopped:
            return "the stop switch is on"
        if sent >= self.cap_per_run:
            return f"the cap of {self.cap_per_run} letters a run is reached"
        if self.live and not self._allows(address):
            return "not on the allow-list"
        return ""

    def _allows(self, address: str) -> bool:
        wanted = address.lower()
        return any(_matches(wanted, entry.lower()) for entry in self.allow)


def _matches(address: str, entry: str) -> bool:
    if entry.startswith("@"):
        return address.rpartition("@")[2] == checked_address(f"anyone{entry}").rpartition("@")[2]
    return address == checked_address(entry)
