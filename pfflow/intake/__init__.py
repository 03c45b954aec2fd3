"""What comes back from people, as facts the stages hear: answers to obligations."""

from pfflow.intake.answers import AnswerError, answer_to, issue_from, require_contact

__all__ = ["AnswerError", "answer_to", "issue_from", "require_contact"]
