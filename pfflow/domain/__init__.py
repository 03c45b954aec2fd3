"""Meaning: the words of the field as frozen values and pure functions. Nothing here reads a clock or does I/O."""
