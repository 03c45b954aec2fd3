from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import lei as published_lei
from stdnum.cn import uscc as published_uscc

from pfflow.domain.identifiers import (
    CURRENCIES,
    INSTEAD,
    LEI_ALPHABET,
    USCC_ALPHABET,
    USCC_WEIGHTS,
    currency_problem,
    email_problem,
    lei_check_digits,
    lei_problem,
    uscc_check_character,
    uscc_problem,
)


@pytest.mark.parametrize("text", ["969500KSV493XWY0PS33", "5493001KJTIIGC8Y1R12", "7H6GLXDRUGQFU57RNE97"])
def test_an_lei_in_use_has_no_problem(text: str) -> None:
    assert lei_problem(text) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("969500KSV493XWY0PS34", "The LEI 969500KSV493XWY0PS34 ends in 34, but its check digits should be 33."),
        ("969500KSV493XWY0PS3", "The LEI 969500KSV493XWY0PS3 has 19 characters; 20 is right."),
        ("", "The LEI (empty) has 0 characters; 20 is right."),
        (
            "969500ksv493XWY0PS33",
            "The LEI 969500ksv493XWY0PS33 contains k, which is not among its characters (0-9, A-Z).",
        ),
        (
            " 969500KSV493XWY0PS33",
            "The LEI  969500KSV493XWY0PS33 contains a blank, which is not among its characters (0-9, A-Z).",
        ),
        (
            "969500KSV493XWY0PSAB",
            "The LEI 969500KSV493XWY0PSAB ends in AB, but its last two characters should be digits.",
        ),
        (
            "９69500KSV493XWY0PS33",
            "The LEI ９69500KSV493XWY0PS33 contains ９ (U+FF19), which is not among its characters (0-9, A-Z).",
        ),
    ],
)
def test_what_is_wrong_with_an_lei_is_one_sentence(text: str, problem: str) -> None:
    assert lei_problem(text) == problem


@given(st.text(LEI_ALPHABET, min_size=18, max_size=18), st.integers(0, 17), st.sampled_from(LEI_ALPHABET))
def test_any_lei_with_its_check_digits_is_good_and_one_wrong_character_is_found(base: str, at: int, other: str) -> None:
    """MOD 97-10 finds a digit for a digit and a letter for a letter; a letter for a digit shifts the number."""
    text = base + lei_check_digits(base)
    assert lei_problem(text) is None
    assert published_lei.is_valid(text)
    wrong = text[:at] + other + text[at + 1 :]
    assert (lei_problem(wrong) is None) is published_lei.is_valid(wrong)
    if other.isdigit() is text[at].isdigit():
        assert (lei_problem(wrong) is None) is (wrong == text)


def test_the_weights_of_the_code_are_the_powers_of_three() -> None:
    assert USCC_WEIGHTS == (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def test_the_codes_characters_are_31() -> None:
    assert len(USCC_ALPHABET) == 31
    assert not set(USCC_ALPHABET) & set("IOSVZ")


@pytest.mark.parametrize("text", ["91350100M000100Y43", "91110000600037341L", "91110000MA00000240"])
def test_a_social_credit_code_in_order_has_no_problem(text: str) -> None:
    assert uscc_problem(text) is None


def test_the_standards_own_example_has_check_character_3() -> None:
    # weighted sum 1640 = 52 x 31 + 28, and 31 - 28 = 3
    base = "91350100M000100Y4"
    assert sum(USCC_ALPHABET.index(c) * weight for c, weight in zip(base, USCC_WEIGHTS, strict=True)) == 1640
    assert uscc_check_character(base) == "3"


def test_a_sum_that_31_divides_has_check_character_0() -> None:
    assert uscc_check_character("91110000MA0000024") == "0"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "91350100M000100Y4Z",
            "The USCC 91350100M000100Y4Z contains Z, which is not among its characters (0-9, A-Z except I O S V Z).",
        ),
        ("91350100M000100Y44", "The USCC 91350100M000100Y44 ends in 4, but its check character should be 3."),
        ("91350100M000100Y4", "The USCC 91350100M000100Y4 has 17 characters; 18 is right."),
        (
            "9135A100M000100Y43",
            "The USCC 9135A100M000100Y43 has 35A100 as its division code, which should be six digits.",
        ),
    ],
)
def test_what_is_wrong_with_a_social_credit_code_is_one_sentence(text: str, problem: str) -> None:
    assert uscc_problem(text) == problem


def test_a_registry_may_be_a_letter() -> None:
    # N is agriculture's registry: rural collectives hold such codes
    base = "N2110105MF0000001"
    assert uscc_problem(base + uscc_check_character(base)) is None


@given(
    st.text("0123456789", min_size=8, max_size=8),
    st.text(USCC_ALPHABET, min_size=9, max_size=9),
    st.integers(0, 16),
    st.sampled_from("0123456789"),
)
def test_any_code_with_its_check_character_is_good_and_one_wrong_digit_is_found(
    division: str, body: str, at: int, other: str
) -> None:
    base = division + body
    text = base + uscc_check_character(base)
    assert uscc_problem(text) is None
    assert published_uscc.is_valid(text)
    wrong = text[:at] + other + text[at + 1 :]
    assert (uscc_problem(wrong) is None) is (wrong == text)


@pytest.mark.parametrize(
    "text",
    [
        "li.wei@example.cn",
        "a@b.co",
        "ops+pf@mail.example.com",
        "o'brien@example.ie",
        "zhang@xn--fiq228c.xn--fiqs8s",
        "UPPER_case-1@EXAMPLE.COM",
    ],
)
def test_an_ordinary_address_has_no_problem(text: str) -> None:
    assert email_problem(text) is None


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "is empty"),
        ("li.wei", "contains 0"),
        ("a@b@example.com", "contains 2"),
        ("a@b.com;c@d.com", "contains 2"),
        ("Li Wei <li@example.com>", "a blank or a control character"),
        ("li@example.com\r\nBcc: x@example.com", "a blank or a control character"),
        ("li@example.com\n", "a blank or a control character"),
        ("li@example", "a domain with a dot"),
        (".li@example.com", "before the @"),
        ("li..wei@example.com", "before the @"),
        ("@example.com", "before the @"),
        ("李@example.com", "plain ones before the @"),
        ("jürgen@example.com", "plain ones before the @"),
        ('"li wei"@example.com', "a blank"),
        ("li@-example.com", "valid domain name"),
        ("li@example..com", "valid domain name"),
        ("li@example.com.", "valid domain name"),
        ("li@[192.0.2.1]", "valid domain name"),
        ("li@192.0.2.1", "valid domain name"),
        ("li@exämple.com", "valid domain name"),
        ("l" * 65 + "@example.com", "64 is the most"),
        ("li@" + "a" * 64 + ".com", "valid domain name"),
        ("li@" + "a." * 130 + "com", "254 is the most"),
    ],
)
def test_what_is_wrong_with_an_address_is_one_sentence(text: str, part: str) -> None:
    problem = email_problem(text)
    assert problem is not None
    assert part in problem
    assert problem.isprintable()
    assert len(problem) < 200
    assert problem.endswith(".")


@pytest.mark.parametrize("text", ["CNY", "HKD", "USD", "EUR", "JPY", "XOF", "ZWG", "XCG"])
def test_a_currency_in_use_has_no_problem(text: str) -> None:
    assert currency_problem(text) is None


@pytest.mark.parametrize(
    ("text", "right"), [("CNH", "CNY"), ("RMB", "CNY"), ("HRK", "EUR"), ("usd", "USD"), (" EUR", "EUR")]
)
def test_a_currency_out_of_use_is_answered_with_the_one_to_write(text: str, right: str) -> None:
    problem = currency_problem(text)
    assert problem is not None
    assert right in problem


@pytest.mark.parametrize("text", ["", "XXX", "XTS", "XAU", "人民币", "US$", "DEM"])
def test_what_is_no_currency_in_use_is_refused(text: str) -> None:
    problem = currency_problem(text)
    assert problem is not None
    assert "not an ISO 4217 code in use" in problem


def test_the_code_to_write_instead_is_always_in_use() -> None:
    assert set(INSTEAD.values()) <= CURRENCIES
    assert not set(INSTEAD) & CURRENCIES
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in CURRENCIES)


def test_a_cell_of_megabytes_is_answered_in_one_line() -> None:
    huge = "9" * 10_000_000
    for problem in (lei_problem(huge), uscc_problem(huge), email_problem(huge), currency_problem(huge)):
        assert problem is not None
        assert len(problem) < 200
