"""The local mailbox is a server; who sends nothing starts none."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pfflow.bootstrap import engine, opened_store
from pfflow.domain.decision import Decision
from pfflow.domain.words import Stage
from pfflow.ports import NotHeld
from pfflow.settings import Settings
from tests.integration.samples import AT, FACTS
from tests.unit.sample_letters import make_notice

PLAYBOOK = Path(__file__).parents[2] / "examples" / "expressway" / "playbook.yaml"


def test_the_local_mailbox_starts_with_the_first_letter_and_not_before(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with opened_store(settings) as store:
        store.import_facts(FACTS, AT, "test")
        store.adopt_playbook(PLAYBOOK.read_text(encoding="utf-8"), "expressway", 1, AT, "test")
    with engine(settings) as opened:
        asyncio.run(opened.cycle.dispatch())
        assert not settings.mailbox_folder.exists()
        notice = make_notice(contact_ref="C-BANK")
        with opened.store.deciding("G1", Stage.COMMUNICATION, AT) as held:
            assert not isinstance(held, NotHeld)
            held.record(Decision(project_ref="G1", stage=Stage.COMMUNICATION, as_of=AT, notices=(notice,)))
        assert asyncio.run(opened.cycle.dispatch()).sent == 1
        assert len(list(settings.mailbox_folder.glob("*.eml"))) == 1
