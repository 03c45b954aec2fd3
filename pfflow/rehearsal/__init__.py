"""Rehearsal: the real decisions under a simulated clock, in memory, with people who answer as a script says."""
