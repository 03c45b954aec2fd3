"""The playbook's JSON Schema, for editors: it completes keys, shows what they mean, and underlines what is wrong."""

from __future__ import annotations

import json
from typing import Any

from pfflow.domain.playbook import Playbook

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def playbook_schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of a playbook; docs/playbook.schema.json is this.

    What it cannot say (names that exist, conditions, sums) the loader checks.
    """
    schema = Playbook.model_json_schema(by_alias=True, mode="validation")
    ladder = schema["$defs"]["Ladder"]
    schema["$defs"]["Ladder"] = {
        "title": "Ladder",
        "description": ladder.pop("description", ""),
        "anyOf": [ladder["properties"]["rungs"], {**ladder, "title": "Rungs and how long an acknowledgement holds"}],
    }
    return {"$schema": DIALECT, **schema, "title": "Playbook"}


def schema_text() -> str:
    """Give the schema as the text of docs/playbook.schema.json."""
    return json.dumps(playbook_schema(), ensure_ascii=False, indent=2) + "\n"
