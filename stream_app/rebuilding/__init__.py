"""Throwing a state away in the right order, so that workers rebuild it from the log."""
