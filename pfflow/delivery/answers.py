"""What a chat service answered, whichever way it was asked."""

from __future__ import annotations

from dataclasses import dataclass

_AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service said: whether it took the text, and if not, whether to try again."""

    taken: bool
    said: str
    again: bool = False


UNREACHED = Answer(taken=False, said="the service could not be reached, or did not answer in time", again=True)


def refusal(status: int) -> Answer:
    """Give what an HTTP status (RFC 9110 section 15) other than success means for a text.

    >>> refusal(404), refusal(429).again
    (Answer(taken=False, said='the service answered 404', again=False), True)
    """
    if 300 <= status < 400:
        return Answer(taken=False, said=f"the service answered {status}, a redirect, which is not followed")
    again = status >= 500 or status in _AGAIN
    return Answer(taken=False, said=f"the service answered {status}", again=again)
