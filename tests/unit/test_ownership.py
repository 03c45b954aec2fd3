from __future__ import annotations

from decimal import Decimal

import pytest

from pfflow.domain.ownership import (
    REGIMES,
    Comparator,
    Holding,
    OwnershipError,
    TangledOwnershipError,
    beneficial_owners,
    circles,
)


def make_holdings(*rows: tuple[str, str, str]) -> list[Holding]:
    return [Holding(owner_ref=owner, owned_ref=owned, share=Decimal(share)) for owner, owned, share in rows]


def test_an_indirect_share_is_the_product_along_the_chain() -> None:
    # 31 % x 90 % = 27.9 %
    result = beneficial_owners(make_holdings(("wang", "holdco", "0.90"), ("holdco", "spv", "0.31")), "spv")
    assert [(owner.owner_ref, owner.share) for owner in result.owners] == [("wang", Decimal("0.279"))]
    assert result.owners[0].chains[0].refs == ("wang", "holdco", "spv")


def test_chains_of_one_owner_add_up_and_are_kept() -> None:
    # 31 % x 90 % + 10 % directly + 20 % x 50 % = 47.9 %
    result = beneficial_owners(
        make_holdings(
            ("wang", "holdco", "0.90"),
            ("holdco", "spv", "0.31"),
            ("wang", "spv", "0.10"),
            ("wang", "fund", "0.50"),
            ("fund", "spv", "0.20"),
        ),
        "spv",
    )
    (owner,) = result.owners
    assert owner.share == Decimal("0.479")
    assert [(chain.refs, chain.share) for chain in owner.chains] == [
        (("wang", "holdco", "spv"), Decimal("0.279")),
        (("wang", "fund", "spv"), Decimal("0.1")),
        (("wang", "spv"), Decimal("0.1")),
    ]


def test_two_small_chains_make_a_beneficial_owner_that_neither_makes_alone() -> None:
    # 50 % x 30 % + 50 % x 20 % = 15 % + 10 %
    result = beneficial_owners(
        make_holdings(("li", "a", "0.5"), ("li", "b", "0.5"), ("a", "spv", "0.3"), ("b", "spv", "0.2")), "spv"
    )
    assert [(owner.owner_ref, owner.share) for owner in result.owners] == [("li", Decimal("0.25"))]


@pytest.mark.parametrize(
    ("regime", "found"), [("CN", ("li",)), ("US", ("li",)), ("EU-AMLD4", ()), ("EU-AMLR", ("li",))]
)
def test_exactly_25_percent_depends_on_the_regime(regime: str, found: tuple[str, ...]) -> None:
    test = REGIMES[regime]
    result = beneficial_owners(
        make_holdings(("li", "spv", "0.25"), ("zhao", "spv", "0.2499")), "spv", test.threshold, test.comparator
    )
    assert tuple(owner.owner_ref for owner in result.owners) == found
    assert {owner.owner_ref for owner in (*result.owners, *result.below)} == {"li", "zhao"}


def test_a_lower_threshold_for_risk_finds_more() -> None:
    holdings = make_holdings(("li", "spv", "0.15"), ("zhao", "spv", "0.85"))
    assert [owner.owner_ref for owner in beneficial_owners(holdings, "spv", Decimal("0.15")).owners] == ["zhao", "li"]
    above = beneficial_owners(holdings, "spv", Decimal("0.15"), Comparator.ABOVE)
    assert [owner.owner_ref for owner in above.below] == ["li"]


def test_what_nobody_is_recorded_for_is_shown() -> None:
    assert beneficial_owners(make_holdings(("li", "spv", "0.6")), "spv").unexplained == Decimal("0.4")


def test_a_company_without_recorded_owners_has_none() -> None:
    result = beneficial_owners([], "spv")
    assert (result.owners, result.below, result.unexplained) == ((), (), Decimal(1))


def test_holdings_elsewhere_do_not_matter() -> None:
    result = beneficial_owners(make_holdings(("li", "spv", "1"), ("x", "y", "1"), ("y", "x", "1")), "spv")
    assert [owner.owner_ref for owner in result.owners] == ["li"]
    assert result.circles == ()


def test_a_circle_is_reported_and_does_not_loop() -> None:
    result = beneficial_owners(
        make_holdings(
            ("li", "a", "0.6"), ("b", "a", "0.4"), ("a", "b", "0.4"), ("zhao", "b", "0.6"), ("a", "spv", "1")
        ),
        "spv",
    )
    assert result.circles == (("a", "b", "a"),)
    # li: 0.6; zhao: 0.6 x 0.4 = 0.24; 0.16 goes round the circle and is not attributed
    assert [(owner.owner_ref, owner.share) for owner in result.owners] == [("li", Decimal("0.6"))]
    assert [(owner.owner_ref, owner.share) for owner in result.below] == [("zhao", Decimal("0.24"))]
    assert result.unexplained == Decimal("0.16")


def test_a_circle_that_owns_itself_whole_leaves_no_owner() -> None:
    result = beneficial_owners(make_holdings(("a", "b", "1"), ("b", "a", "1")), "a")
    assert result.owners == ()
    assert result.circles == (("a", "b", "a"),)


def test_each_knot_of_holdings_gives_one_circle() -> None:
    found = circles(
        make_holdings(
            ("a", "b", "0.5"),
            ("b", "c", "0.5"),
            ("c", "a", "0.5"),
            ("x", "y", "0.2"),
            ("y", "x", "0.2"),
            ("self", "self", "0.1"),
            ("li", "a", "0.5"),
        )
    )
    assert found == (("a", "b", "c", "a"), ("self", "self"), ("x", "y", "x"))


def test_a_lattice_is_no_circle() -> None:
    assert circles(make_holdings(("top", "l", "1"), ("top", "r", "1"), ("l", "spv", "0.5"), ("r", "spv", "0.5"))) == ()


def test_a_tower_of_two_thousand_companies_is_followed_to_its_top() -> None:
    tower = make_holdings(*((f"c{level + 1}", f"c{level}", "1") for level in range(2000)))
    assert beneficial_owners(tower, "c0").owners[0].owner_ref == "c2000"


def test_more_chains_than_can_be_followed_are_refused_by_name() -> None:
    rows = [(f"{side}{level + 1}", f"{below}{level}", "0.5") for level in range(20) for side in "lr" for below in "lr"]
    with pytest.raises(TangledOwnershipError, match="chains lead to l0"):
        beneficial_owners(make_holdings(*rows), "l0")


@pytest.mark.parametrize("share", ["0", "-0.1", "25", "NaN"])
def test_a_share_that_is_no_fraction_is_refused(share: str) -> None:
    with pytest.raises(OwnershipError, match="li holds"):
        beneficial_owners(make_holdings(("li", "spv", share)), "spv")


def test_a_holding_given_twice_is_refused() -> None:
    with pytest.raises(OwnershipError, match="li in spv is given twice"):
        circles(make_holdings(("li", "spv", "0.2"), ("li", "spv", "0.3")))


def test_more_than_the_whole_is_refused() -> None:
    with pytest.raises(OwnershipError, match=r"shares in spv come to 1\.1"):
        circles(make_holdings(("li", "spv", "0.6"), ("zhao", "spv", "0.5")))


def test_a_circle_of_a_thousand_is_told_once_from_its_first_name() -> None:
    names = [f"c{number:04d}" for number in range(1000)]
    ring = make_holdings(*((owner, owned, "1") for owner, owned in zip(names, [*names[1:], names[0]], strict=True)))
    assert circles(ring) == ((*names, "c0000"),)


def test_a_company_below_a_circle_is_not_on_it() -> None:
    assert circles(make_holdings(("b", "c", "1"), ("c", "b", "1"), ("c", "a", "1"))) == (("b", "c", "b"),)
