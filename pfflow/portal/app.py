"""The portal's application: made of what it is given, so that a test and a server run the same."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.requests import Request
from fastapi.responses import PlainTextResponse

from pfflow.portal.unsubscribe import Portal, unsubscribe_routes
from pfflow.store import StoreError


def application(portal: Portal) -> FastAPI:
    """Give the application. It describes itself to nobody: its addresses are for those who hold one."""
    app = FastAPI(title="pfflow", docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(unsubscribe_routes(portal))

    @app.exception_handler(StoreError)
    def busy(_request: Request, _error: Exception) -> PlainTextResponse:
        # A mail program that gets this tries again; what it may not get is a 200 for what was not done.
        return PlainTextResponse("try again later\n", status_code=503, headers={"Retry-After": "60"})

    return app
