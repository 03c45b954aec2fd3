"""The approval form: a suspended run that is only the face of an obligation."""

from __future__ import annotations

from typing import Any

import pytest

from pfflow.bootstrap import opened_store
from pfflow.domain.obligations import Obligation, ObligationKind, Status
from tests.flows.cockpit import Cockpit, ending, eventually

pytestmark = [pytest.mark.prefect, pytest.mark.xdist_group("prefect")]

SERVICE_DESIGN = "flows/service_design.py:service_design"


def test_losing_the_form_or_resuming_it_twice_loses_and_repeats_nothing(cockpit: Cockpit) -> None:
    if not _open(_forms(cockpit)):
        _sweep_service_design(cockpit)
    lost = eventually(lambda: _suspended(cockpit), 180, "the form of the approval")
    cockpit.ask(f"/flow_runs/{lost['id']}/set_state", state={"type": "CANCELLED"}, force=True)
    assert _approval(cockpit).live

    _sweep_service_design(cockpit)
    form = eventually(lambda: _suspended(cockpit), 180, "a new form in place of the lost one")
    assert form["id"] != lost["id"]
    assert form["name"].startswith("approval · EXP-01 · ")

    for wrong in (
        {"decision": "perhaps", "approver": "C-51"},
        {"decision": "approve"},
        {"decision": "approve", "approver": "C-51", "comment": "x" * 501},
    ):
        assert _resume(cockpit, form, wrong)["status"] == "REJECT"
    assert _offers(cockpit) == []

    # C-01 is a contact of the sponsor, not of the Accountable: refused, and asked again.
    assert _resume(cockpit, form, {"decision": "approve", "approver": "C-01"})["status"] == "ACCEPT"
    again = eventually(lambda: _suspended_in_round(cockpit, form["id"], "approval-2"), 180, "the form asks again")
    assert _approval(cockpit).live

    answer = {"decision": "approve", "approver": "C-51", "comment": "同意"}
    assert _resume(cockpit, again, answer)["status"] == "ACCEPT"
    assert _resume(cockpit, again, answer)["status"] == "ABORT"
    done = eventually(lambda: _completed(cockpit, form["id"]), 180, "the run ends after the answer")
    assert done["state"]["message"] == "approved by C-51"

    approval = _approval(cockpit)
    assert (approval.status, approval.closed_by) == (Status.FULFILLED, "C-51")
    assert len(_offers(cockpit)) == 1

    # A second run for the same approval, as if somebody had kept the page open: told so, and nothing is sent.
    late = ending(cockpit.server, cockpit.settings.home, f"{SERVICE_DESIGN}_approval", obligation_key=approval.key)
    assert late["message"].startswith("answered already: fulfilled")
    assert len(_offers(cockpit)) == 1


def _sweep_service_design(cockpit: Cockpit) -> None:
    swept = ending(cockpit.server, cockpit.settings.home, SERVICE_DESIGN)
    assert swept["result"]["forms"] == 1


def _completed(cockpit: Cockpit, run_id: str) -> dict[str, Any] | None:
    run = cockpit.run(run_id)
    assert run["state"]["type"] not in {"FAILED", "CRASHED"}, run["state"]
    return run if run["state"]["type"] == "COMPLETED" else None


def _forms(cockpit: Cockpit) -> list[dict[str, Any]]:
    return cockpit.runs(flows={"name": {"any_": ["service-design-approval"]}})


def _open(forms: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [form for form in forms if form["state"]["type"] not in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}]


def _suspended(cockpit: Cockpit) -> dict[str, Any] | None:
    forms = _forms(cockpit)
    assert _open(forms), [form["state"] for form in forms]
    return next((form for form in forms if form["state"]["name"] == "Suspended"), None)


def _suspended_in_round(cockpit: Cockpit, run_id: str, key: str) -> dict[str, Any] | None:
    run = cockpit.run(run_id)
    details = run["state"]["state_details"]
    return run if run["state"]["name"] == "Suspended" and details["pause_key"] == key else None


def _resume(cockpit: Cockpit, form: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    return dict(cockpit.ask(f"/flow_runs/{form['id']}/resume", run_input=answer))


def _approval(cockpit: Cockpit) -> Obligation:
    with opened_store(cockpit.settings) as store:
        (approval,) = (o for o in store.obligations("EXP-01") if o.kind is ObligationKind.APPROVAL)
    return approval


def _offers(cockpit: Cockpit) -> list[str]:
    return [name for name in cockpit.letters() if "-offer-" in name]
