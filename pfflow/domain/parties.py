"""Who takes part in a financing: parties in two realms, their contacts, and the roles they hold in a project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from pfflow.domain.words import EN, Words


class Realm(StrEnum):
    """External customers (CRM) and the house's own departments (ICRM) are one machinery in two realms."""

    EXTERNAL = "external"
    INTERNAL = "internal"


class PartyKind(StrEnum):
    """What a party is by nature; what it does in a project is its participation's role."""

    INVESTOR = "investor"
    LENDER = "lender"
    POLICY_BANK = "policy-bank"
    GOVERNMENT = "government"
    SPONSOR = "sponsor"
    BORROWER = "borrower"
    INDUSTRIAL_PARTNER = "industrial-partner"
    CONTRACTOR = "contractor"
    DESIGNER = "designer"
    SUPERVISOR = "supervisor"
    OFFTAKER = "offtaker"
    ADVISER = "adviser"
    DEPARTMENT = "department"
    GROUP = "group"


class Tier(StrEnum):
    """How much attention a party gets: A most."""

    A = "A"
    B = "B"
    C = "C"


class Level(StrEnum):
    """At which level of a party a contact speaks."""

    WORKING = "working"
    MANAGEMENT = "management"
    STEERING = "steering"


LEVEL_WORDS: Mapping[Level, Words] = MappingProxyType(
    {
        Level.WORKING: Words("经办层", "working"),
        Level.MANAGEMENT: Words("管理层", "management"),
        Level.STEERING: Words("决策层", "steering"),
    }
)


class Direction(StrEnum):
    """Whether a touch came from the house or from the party."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A legal entity, department or group; one record however many roles it holds. Key: party_ref.

    Capital amounts are in `currency` (ISO 4217); `ownership_pct` is the parent's share in percent, 0 to 100.
    """

    party_ref: str
    name: str
    name_zh: str = ""
    kind: PartyKind
    realm: Realm = Realm.EXTERNAL
    tier: Tier | None = None
    jurisdiction: str = ""
    lei: str = ""
    uscc: str = ""
    registered_capital: Decimal | None = None
    currency: str = ""
    sector: str = ""
    risk_tolerance: str = ""
    preference: str = ""
    capital_size: Decimal | None = None
    policy_orientation: str = ""
    support_level: str = ""
    parent_ref: str = ""
    ownership_pct: Decimal | None = None
    owner_ref: str = ""
    source: str = ""
    as_of: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """A person at a party. Key: contact_ref. `language` is a BCP 47 tag, `timezone` an IANA name."""

    contact_ref: str
    party_ref: str
    name: str
    email: str
    phone: str = ""
    role_title: str = ""
    level: Level = Level.WORKING
    language: str = EN
    timezone: str = ""
    channel: str = "email"
    consent: bool = True
    unsubscribed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """A role that a party holds in a project. Key: project_ref, party_ref, role. `share` is in percent."""

    project_ref: str
    party_ref: str
    role: str
    share: Decimal | None = None
    since: date | None = None
    until: date | None = None
    confidentiality: str = ""

    def holds_on(self, day: date) -> bool:
        """Whether the role is held on the day (both ends included)."""
        return (self.since is None or self.since <= day) and (self.until is None or day <= self.until)
