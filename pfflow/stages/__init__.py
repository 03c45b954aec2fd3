"""Judgement: the five stages, each a pure `decide(dossier, as_of) -> Decision`. They do not know each other."""
