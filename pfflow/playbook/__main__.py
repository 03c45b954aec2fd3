"""Prints the playbook's JSON Schema: `python -m pfflow.playbook > docs/playbook.schema.json`."""

from __future__ import annotations

import sys

from pfflow.playbook.schema import schema_text

if __name__ == "__main__":
    sys.stdout.write(schema_text())
