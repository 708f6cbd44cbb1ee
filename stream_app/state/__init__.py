"""The durable state: Redis holds owner, offset, state and outbox of every source partition."""
