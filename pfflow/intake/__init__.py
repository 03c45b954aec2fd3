"""What comes back from people, turned into facts the next decision reads."""

from pfflow.intake.answers import AnswerError, answer_to

__all__ = ["AnswerError", "answer_to"]
