"""Hypothesis without its stopwatch: the machine is shared, and slow is not wrong."""

from hypothesis import settings

settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")
