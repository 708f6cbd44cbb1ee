"""Between bytes and the domain: what is accepted, what is refused and why. Pure."""
