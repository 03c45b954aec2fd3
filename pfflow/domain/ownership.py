"""Who stands behind a company: shares through layers, beneficial owners, and holdings that run in a circle.

An indirect share is the product of the shares along a chain, summed over all chains. A chain never passes one company
twice; where holdings run in a circle the circle is reported, and the shares that pass it are a lower bound.
Shares are fractions: 0.25 is 25 %.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

MOST_STEPS = 200_000


class OwnershipError(ValueError):
    """Holdings that cannot be: a share outside 0 to 1, a pair given twice, a company owned by more than the whole."""


class TangledOwnershipError(OwnershipError):
    """Holdings with more chains than can be followed; circles in them are the usual reason."""


class Comparator(StrEnum):
    """Whether the threshold itself makes a beneficial owner."""

    AT_LEAST = ">="
    ABOVE = ">"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnershipTest:
    """From which share on a regime sees a beneficial owner."""

    threshold: Decimal
    comparator: Comparator
    source: str


REGIMES: Mapping[str, OwnershipTest] = MappingProxyType(
    {
        "CN": OwnershipTest(
            threshold=Decimal("0.25"),
            comparator=Comparator.AT_LEAST,
            source="受益所有人信息管理办法 (PBoC and SAMR Order 2024 No 3), in force 2024-11-01",
        ),
        "US": OwnershipTest(
            threshold=Decimal("0.25"), comparator=Comparator.AT_LEAST, source="31 CFR 1010.230, ownership prong"
        ),
        "EU-AMLD4": OwnershipTest(
            threshold=Decimal("0.25"),
            comparator=Comparator.ABOVE,
            source="Directive (EU) 2015/849, Article 3(6): 25 % plus one share",
        ),
        "EU-AMLR": OwnershipTest(
            threshold=Decimal("0.25"),
            comparator=Comparator.AT_LEAST,
            source="Regulation (EU) 2024/1624: 25 % or more, from July 2027",
        ),
    }
)
"""The ownership test of each regime; its tests of control are a person's to make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A direct share of one party in another, as a fraction above 0 and up to 1. Key: owner_ref, owned_ref."""

    owner_ref: str
    owned_ref: str
    share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One way from an ultimate owner down to the target, both included, with the product of the shares along it."""

    refs: tuple[str, ...]
    share: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class UltimateOwner:
    """A party nobody owns, with its whole share in the target and the chains it comes from, largest first."""

    owner_ref: str
    share: Decimal
    chains: tuple[Chain, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BeneficialOwners:
    """The ultimate owners that meet the test and those that do not, largest first, and the circles above the target.

    `unexplained` is what is left of the whole: shares nobody is recorded for, or lost in circles.
    """

    target_ref: str
    owners: tuple[UltimateOwner, ...]
    below: tuple[UltimateOwner, ...]
    unexplained: Decimal
    circles: tuple[tuple[str, ...], ...]


def beneficial_owners(
    holdings: Iterable[Holding],
    target: str,
    threshold: Decimal = Decimal("0.25"),
    comparator: Comparator = Comparator.AT_LEAST,
) -> BeneficialOwners:
    """Give who ultimately owns the target, by direct and indirect share, against a threshold.

    Ultimate is whoever no holding is recorded in; whether that is a natural person the register says, not this.
    Raises OwnershipError, and TangledOwnershipError where there are too many chains to follow.

    >>> layers = [
    ...     Holding(owner_ref="wang", owned_ref="holdco", share=Decimal("0.9")),
    ...     Holding(owner_ref="holdco", owned_ref="spv", share=Decimal("0.31")),
    ... ]
    >>> beneficial_owners(layers, "spv").owners[0].share
    Decimal('0.279')
    """
    owners_of = _owners_of(holdings)
    chains: dict[str, list[Chain]] = {}
    for chain in _chains(owners_of, target):
        chains.setdefault(chain.refs[0], []).append(chain)
    ultimate = sorted(
        (
            UltimateOwner(
                owner_ref=owner,
                share=sum((chain.share for chain in found), Decimal(0)),
                chains=tuple(sorted(found, key=lambda chain: (-chain.share, chain.refs))),
            )
            for owner, found in chains.items()
        ),
        key=lambda owner: (-owner.share, owner.owner_ref),
    )
    met = [owner for owner in ultimate if _meets(owner.share, threshold, comparator)]
    above = _upstream(owners_of, target)
    return BeneficialOwners(
        target_ref=target,
        owners=tuple(met),
        below=tuple(owner for owner in ultimate if owner not in met),
        unexplained=1 - sum((owner.share for owner in ultimate), Decimal(0)),
        circles=tuple(ring for ring in _rings(owners_of) if ring[0] in above),
    )


def circles(holdings: Iterable[Holding]) -> tuple[tuple[str, ...], ...]:
    """Give the circles among holdings, each from its first name round to it again: ("a", "b", "a").

    One shortest circle for each knot of parties that all own one another; a party that owns itself is one.
    Raises OwnershipError.
    """
    return tuple(_rings(_owners_of(holdings)))


def _meets(share: Decimal, threshold: Decimal, comparator: Comparator) -> bool:
    return share > threshold if comparator is Comparator.ABOVE else share >= threshold


def _owners_of(holdings: Iterable[Holding]) -> dict[str, dict[str, Decimal]]:
    owners_of: dict[str, dict[str, Decimal]] = {}
    for holding in holdings:
        if not holding.share.is_finite() or not 0 < holding.share <= 1:
            raise OwnershipError(
                f"{holding.owner_ref} holds {holding.share} of {holding.owned_ref}; a share is above 0 and at most 1"
            )
        owners = owners_of.setdefault(holding.owned_ref, {})
        if holding.owner_ref in owners:
            raise OwnershipError(f"the share of {holding.owner_ref} in {holding.owned_ref} is given twice")
        owners[holding.owner_ref] = holding.share
    for owned, owners in owners_of.items():
        total = sum(owners.values(), Decimal(0))
        if total > 1:
            raise OwnershipError(f"the shares in {owned} come to {total}, more than the whole")
    return owners_of


def _chains(owners_of: Mapping[str, Mapping[str, Decimal]], target: str) -> Iterator[Chain]:
    # Iterative, for a tower of companies may be higher than Python's stack is deep.
    waiting = [Chain(refs=(target,), share=Decimal(1))]
    steps = 0
    while waiting:
        chain = waiting.pop()
        steps += 1
        if steps > MOST_STEPS:
            raise TangledOwnershipError(f"more than {MOST_STEPS} chains lead to {target}")
        owners = owners_of.get(chain.refs[0], {})
        if not owners and len(chain.refs) > 1:
            yield chain
        waiting.extend(
            Chain(refs=(owner, *chain.refs), share=share * chain.share)
            for owner, share in owners.items()
            if owner not in chain.refs
        )


def _upstream(owners_of: Mapping[str, Iterable[str]], target: str) -> set[str]:
    found, waiting = {target}, [target]
    while waiting:
        fresh = set(owners_of.get(waiting.pop(), ())) - found
        found |= fresh
        waiting.extend(fresh)
    return found


def _rings(owners_of: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, ...]]:
    core = _core(owners_of)
    owned_by: dict[str, set[str]] = {}
    for owned, owners in core.items():
        for owner in owners:
            owned_by.setdefault(owner, set()).add(owned)
    told: set[str] = set()
    for ref in sorted(core):
        if ref not in told and (ring := _shortest_ring(core, ref)):
            # Who is both above and below it belongs to the same knot, told by this one ring.
            told |= _upstream(core, ref) & _upstream(owned_by, ref)
            yield ring


def _core(owners_of: Mapping[str, Iterable[str]]) -> dict[str, set[str]]:
    # Whoever nobody owns is on no circle; without it, the next are owned by nobody. What stays leads to a circle.
    core = {owned: set(owners) for owned, owners in owners_of.items()}
    owned_by: dict[str, list[str]] = {}
    for owned, owners in core.items():
        for owner in owners:
            owned_by.setdefault(owner, []).append(owned)
    waiting = [owner for owner in owned_by if owner not in core]
    while waiting:
        owner = waiting.pop()
        for owned in owned_by.get(owner, ()):
            core[owned].discard(owner)
            if not core[owned]:
                del core[owned]
                waiting.append(owned)
    return core


def _shortest_ring(owners_of: Mapping[str, Iterable[str]], ref: str) -> tuple[str, ...]:
    owns: dict[str, str] = {}
    waiting = deque([ref])
    while waiting:
        owned = waiting.popleft()
        for owner in sorted(owners_of.get(owned, ())):
            if owner == ref:
                ring = [ref, owned]
                while ring[-1] != ref:
                    ring.append(owns[ring[-1]])
                return tuple(ring)
            if owner not in owns:
                owns[owner] = owned
                waiting.append(owner)
    return ()
