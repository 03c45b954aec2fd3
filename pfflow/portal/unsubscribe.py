"""Leaving a kind of letter (RFC 8058): a POST leaves at once, a GET shows a page with a button and changes nothing.

Programs that look at links before people do (scanners, previews) GET them; that must not unsubscribe anybody. A mail
program's one click is a POST without cookies and without a login, so the token is all there is to know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException
from fastapi.responses import HTMLResponse

from pfflow.delivery.unsubscribing import Unsubscribing, UnsubscribingError
from pfflow.domain.opt_outs import OptionalLetter
from pfflow.domain.words import EN, ZH, Words
from pfflow.ports import Clock
from pfflow.rendering.environment import Templates
from pfflow.store import SqlStore

BY_CLICK = "one click"
"""Who unsubscribed, where the link says it and no login does."""

_FOLDER = "portal/unsubscribe"
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
"""The address is the key: it is not to be kept, sent on or found."""

Languages = Annotated[str, Header(alias="accept-language")]


@dataclass(frozen=True, slots=True)
class Portal:
    """What the portal serves with: an open store, the links it signs, templates, the house's name, a clock."""

    store: SqlStore
    links: Unsubscribing
    templates: Templates
    house: Words
    clock: Clock


def unsubscribe_routes(portal: Portal) -> APIRouter:
    """Give the routes by which people leave a kind of letter."""
    router = APIRouter()

    @router.get("/unsubscribe/{token}")
    def show(token: str, accept_language: Languages = "") -> HTMLResponse:
        language = language_wanted(accept_language)
        contact_ref, kind = _read(token)
        done = kind in portal.store.opt_outs(contact_ref)
        return _page(language, kind, done=done)

    @router.post("/unsubscribe/{token}")
    def leave(token: str, accept_language: Languages = "") -> HTMLResponse:
        contact_ref, kind = _read(token)
        portal.store.opt_out(contact_ref, kind, BY_CLICK, portal.clock())
        return _page(language_wanted(accept_language), kind, done=True)

    def _read(token: str) -> tuple[str, OptionalLetter]:
        try:
            return portal.links.read(token)
        except UnsubscribingError as error:
            raise HTTPException(404, str(error)) from None

    def _page(language: str, kind: OptionalLetter, *, done: bool) -> HTMLResponse:
        path = portal.templates.path_of(_FOLDER, "page.html", language)
        reading = {
            "language": language,
            "kind": kind.words.in_language(language),
            "done": done,
            "house": portal.house.in_language(language),
        }
        content = portal.templates.environment.get_template(path).render(reading)
        return HTMLResponse(content, headers={**_HEADERS, "Content-Language": language, "Vary": "Accept-Language"})

    return router


def language_wanted(accepted: str) -> str:
    """Give the language of a page by Accept-Language (RFC 9110 section 12.5.4): the one asked for first that there is.

    >>> language_wanted("de-DE,de;q=0.9,zh-CN;q=0.8,en;q=0.5"), language_wanted("en-GB"), language_wanted("fr;q=x")
    ('zh-CN', 'en', 'en')
    """
    wanted: list[tuple[float, str]] = []
    for part in accepted.split(","):
        tag, _, quality = part.strip().lower().partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        if weight > 0:
            wanted.append((-weight, tag.partition("-")[0]))
    known = [primary for _, primary in sorted(wanted, key=lambda one: one[0]) if primary in ("zh", "en")]
    return ZH if known and known[0] == "zh" else EN
