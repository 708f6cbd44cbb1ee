"""What can go wrong while bringing up the local broker and Redis."""


class LocalError(Exception):
    """The local stack cannot do what was asked.

    The message says what is wrong, what was expected and what to do; it is written for the person
    at the terminal and needs no traceback.
    """
