"""`stream-app explain`: why a value is what it is.

One pass over the log with the same fold as the worker's keeps what the asked scope and window are
made of (`trace`); the same formula is then evaluated on just that, and what it reads is listed
(`explanation`). All but the command is pure.
"""
