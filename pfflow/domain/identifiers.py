"""Whether an identifier is well formed, and if not, why: LEI, unified social credit code, e-mail address, currency.

Each `*_problem` gives None for a good one and otherwise one English sentence that says what is wrong and what would be
right. None of them repairs: a text is taken as it stands, so surrounding blanks and lower case are problems too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

LEI_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015: 31 characters, without I, O, S, V and Z."""

USCC_WEIGHTS = tuple(pow(3, index, 31) for index in range(17))

_IN_USE = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG
HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL
MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR
RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD
TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XDR XOF XPF YER ZAR ZMW ZWG
"""

CURRENCIES = frozenset(_IN_USE.split())
"""ISO 4217 codes of money in use on 2026-01-01, with the SDR (XDR) and without fund, metal and test codes."""

INSTEAD: Mapping[str, str] = MappingProxyType(
    {"ANG": "XCG", "BGN": "EUR", "CNH": "CNY", "HRK": "EUR", "RMB": "CNY", "SLL": "SLE", "ZWL": "ZWG"}
)
"""Codes often met that are withdrawn from ISO 4217, or were never in it, with the code to use."""

_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
_TOP_LEVEL = re.compile(r"[A-Za-z]{2,}|[Xx][Nn]--[A-Za-z0-9-]*[A-Za-z0-9]")


def lei_check_digits(base: str) -> str:
    """Give the two check digits of an LEI's first 18 characters (ISO 17442, by ISO 7064 MOD 97-10).

    >>> lei_check_digits("969500KSV493XWY0PS")
    '33'
    """
    number = int("".join(str(LEI_ALPHABET.index(character)) for character in base) + "00")
    return f"{98 - number % 97:02d}"


def lei_problem(text: str) -> str | None:
    """Say what is wrong with a legal entity identifier (ISO 17442); None where nothing is.

    >>> lei_problem("969500KSV493XWY0PS34")
    'The LEI 969500KSV493XWY0PS34 ends in 34, but its check digits should be 33.'
    """
    if problem := _shape_problem("LEI", text, 20, LEI_ALPHABET):
        return problem
    if not set(text[18:]) <= set("0123456789"):
        return f"The LEI {text} ends in {text[18:]}, but its last two characters should be digits."
    expected = lei_check_digits(text[:18])
    if text[18:] != expected:
        return f"The LEI {text} ends in {text[18:]}, but its check digits should be {expected}."
    return None


def uscc_check_character(base: str) -> str:
    """Give the check character of a code's first 17 characters (GB 32100-2015, by ISO 7064 MOD 31-3).

    A weighted sum that 31 divides gives 0.

    >>> uscc_check_character("91350100M000100Y4")
    '3'
    """
    total = sum(USCC_ALPHABET.index(c) * weight for c, weight in zip(base, USCC_WEIGHTS, strict=True))
    return USCC_ALPHABET[-total % 31]


def uscc_problem(text: str) -> str | None:
    """Say what is wrong with a unified social credit code (统一社会信用代码, GB 32100-2015); None where nothing is.

    >>> uscc_problem("91350100M000100Y4Z")
    'The USCC 91350100M000100Y4Z contains Z, which is not among its characters (0-9, A-Z except I O S V Z).'
    """
    if problem := _shape_problem("USCC", text, 18, USCC_ALPHABET):
        return problem
    if not set(text[2:8]) <= set("0123456789"):
        return f"The USCC {text} has {text[2:8]} as its division code, which should be six digits."
    expected = uscc_check_character(text[:17])
    if text[17] != expected:
        return f"The USCC {text} ends in {text[17]}, but its check character should be {expected}."
    return None


def email_problem(text: str) -> str | None:
    """Say what is wrong with an e-mail address; None where nothing is.

    Accepts what RFC 5321 and 5322 allow and business mail uses: an unquoted ASCII local part, a domain name of at least
    two labels. Refuses display names, quoted local parts, address literals, comments and lists.
    """
    if not text:
        return "The e-mail address is empty."
    if len(text) > 254:
        return f"The e-mail address {_shown(text)} has {len(text)} characters; 254 is the most."
    local, _, domain = text.rpartition("@")
    labels = domain.split(".")
    complaints = (
        (any(c.isspace() or not c.isprintable() for c in text), "contains a blank or a control character"),
        (text.count("@") != 1, f"should contain exactly one @, and contains {text.count('@')}"),
        (len(local) > 64, f"has {len(local)} characters before the @; 64 is the most"),
        (
            not local.isascii(),
            "has letters other than plain ones before the @, to which no mail goes out; give the plain address",
        ),
        (not _LOCAL_PART.fullmatch(local), "should have letters, digits and single inner dots before the @"),
        (len(labels) < 2, "should have a domain with a dot after the @"),
        (
            any(len(label) > 63 or not _LABEL.fullmatch(label) for label in labels)
            or not _TOP_LEVEL.fullmatch(labels[-1]),
            "does not have a valid domain name after the @",
        ),
    )
    return next((f"The e-mail address {_shown(text)} {complaint}." for wrong, complaint in complaints if wrong), None)


def currency_problem(text: str) -> str | None:
    """Say what is wrong with a currency code (ISO 4217, the list of CURRENCIES); None where nothing is.

    >>> currency_problem("CNH")
    'The currency CNH is not an ISO 4217 code in use; CNY is the one to write.'
    """
    if text in CURRENCIES:
        return None
    if text in INSTEAD:
        return f"The currency {text} is not an ISO 4217 code in use; {INSTEAD[text]} is the one to write."
    if text.strip().upper() in CURRENCIES:
        return f"The currency {_shown(text)} should be written {text.strip().upper()}."
    return f"The currency {_shown(text)} is not an ISO 4217 code in use, such as CNY, EUR or USD."


def _shape_problem(name: str, text: str, length: int, alphabet: str) -> str | None:
    among = "0-9, A-Z except I O S V Z" if alphabet == USCC_ALPHABET else "0-9, A-Z"
    for character in text:
        if character not in alphabet:
            odd = _named(character)
            return f"The {name} {_shown(text)} contains {odd}, which is not among its characters ({among})."
    if len(text) != length:
        return f"The {name} {_shown(text)} has {len(text)} characters; {length} is right."
    return None


def _named(character: str) -> str:
    # A full-width digit looks like a digit: its code point tells them apart.
    if character.isspace():
        return "a blank"
    plain = character.isascii() and character.isprintable()
    return character if plain else f"{_shown(character)} (U+{ord(character):04X})"


def _shown(text: str) -> str:
    # What cannot be seen is written out, and a cell of megabytes is cut.
    seen = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text[:60])
    return (seen if len(text) <= 60 else seen + "…") or "(empty)"
