"""Replay: why a letter was sent or what became of an obligation, from the ledger, and the same decided once more."""

from pfflow.replay.again import Again, Archive
from pfflow.replay.explaining import UnknownSubjectError, explained
from pfflow.replay.links import Explanation, Link

__all__ = ["Again", "Archive", "Explanation", "Link", "UnknownSubjectError", "explained"]
