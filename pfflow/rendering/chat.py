"""Chat texts: short, plain, and without anything a chat program would take for a link, a mention or markup.

What each program understands differs (Markdown, Slack's ``<!channel>``, Feishu's ``<at user_id="all">``, ``@all``), so
nothing is escaped in the language of one: the characters they all build on become their full-width forms, which read
the same and mean nothing to any of them. It holds for a whole text, whoever wrote which part of it.
"""

from __future__ import annotations

import re

LONGEST = 500
"""Characters of a chat text at most."""

_FULL_WIDTH = str.maketrans(
    {character: chr(ord(character) + 0xFEE0) for character in "@<>`*~|\\"}  # U+FF01 … U+FF5E mirror U+0021 … U+007E
)
_ENTITY = re.compile(r"&(?=#?\w+;)")
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_LINE_START = re.compile(r"^(\s*)([#>+=-]+)(?=\s)", re.MULTILINE)
_LINK_TEXT_END = re.compile(r"\](?=[(\[:])")
_SCHEME = re.compile(r"(?<=\w):(?=//)")
_BARE_DOMAIN = re.compile(r"(?<=[^\W_])\.(?=[^\W\d_]{2})")
_WORD_JOINER = "\u2060"
_UNSEEN = re.compile(
    "[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_ELLIPSIS = "…"


def harmless(text: str) -> str:
    r"""Give a text that no chat program finds a mention, a link or markup in.

    >>> harmless('<!channel> @all [pay](http://evil.example) *now*')
    '＜!channel＞ ＠all [pay］(http：//evil.\u2060example) ＊now＊'
    >>> harmless("G1/fund_use-report/2026-01-15")
    'G1/fund_use-report/2026-01-15'
    """
    plain = _UNSEEN.sub("", text).translate(_FULL_WIDTH)
    plain = _ENTITY.sub("＆", plain)
    plain = _EDGE_UNDERSCORE.sub("＿", plain)
    plain = _LINE_START.sub(lambda found: found[1] + "".join(chr(ord(one) + 0xFEE0) for one in found[2]), plain)
    plain = _SCHEME.sub("：", _LINK_TEXT_END.sub("］", plain))
    return _BARE_DOMAIN.sub(f".{_WORD_JOINER}", plain)


def fitted(lines: str, reference: str, limit: int) -> str:
    r"""Give the lines cut to a limit in characters, the reference after them whole: it tells a repeated text.

    >>> fitted("Reminder: a report is due on 15 January", "Reference G1", 30)
    'Reminder: a repo…\nReference G1'
    """
    room = limit - len(reference) - 1
    if room <= len(_ELLIPSIS):
        return reference[:limit]
    shown = lines if len(lines) <= room else lines[: room - len(_ELLIPSIS)].rstrip() + _ELLIPSIS
    return f"{shown}\n{reference}"
