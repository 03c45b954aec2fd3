"""Commands of the portal: serve it, and take back what somebody clicked there."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

from pfflow.cli.console import counted, refuse


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("portal")(serve)
    app.command("subscribe")(subscribe)


def serve(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where it listens; 0 takes a free port.")] = 4280,
    host: Annotated[
        str, typer.Option(help="Only this machine by default; a proxy in front brings https.")
    ] = "127.0.0.1",
) -> None:
    """Serve the page on which people leave surveys and digests, until it is interrupted."""
    import uvicorn

    from pfflow.bootstrap import now, opened_store, playbook_in_force, unsubscribing_of
    from pfflow.portal.app import application
    from pfflow.portal.unsubscribe import Portal
    from pfflow.rendering.environment import house_templates
    from pfflow.settings import Settings

    settings = Settings()
    with opened_store(settings) as store:
        house = playbook_in_force(store).house
        links = unsubscribing_of(settings)
        if links is None:
            raise refuse("the portal needs PFFLOW_PORTAL_URL (https) and PFFLOW_PORTAL_SECRET")
        app = application(Portal(store, links, house_templates(settings.templates), house.name.words, now))
        # The address of a request holds its token, so none is logged.
        uvicorn.run(app, host=host, port=port, access_log=False, server_header=False)


def subscribe(
    contact: Annotated[str, typer.Argument(help="The contact who wants surveys and digests again.")],
    by: Annotated[str, typer.Option("--by", help="Who says so; the login name if not said.")] = "",
) -> None:
    """Take back that a contact left surveys and digests."""
    from pfflow.bootstrap import now, opened_store
    from pfflow.domain.opt_outs import OptionalLetter
    from pfflow.settings import Settings

    with opened_store(Settings()) as store:
        known = {one.contact_ref: one for one in store.facts().contacts}
        if contact not in known:
            raise refuse(f"no contact {contact!r} is registered")
        undone = store.opt_in(contact, tuple(OptionalLetter), by or getpass.getuser(), now())
    typer.echo(
        f"{contact}: {counted(undone, 'kind')} of letter asked for again" if undone else f"{contact} had left none"
    )
    if known[contact].unsubscribed:
        typer.echo("the register still says unsubscribed; change it there and import it")
