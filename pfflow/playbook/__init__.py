"""Playbooks as people write them: YAML in, a checked playbook or problems with their lines out."""

from __future__ import annotations

from pfflow.playbook.loader import PlaybookReading, digest, parse_playbook, read_playbook
from pfflow.playbook.problems import PlaybookProblem
from pfflow.playbook.schema import playbook_schema

__all__ = ["PlaybookProblem", "PlaybookReading", "digest", "parse_playbook", "playbook_schema", "read_playbook"]
