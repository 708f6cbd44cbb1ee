"""The hops of the stream as Faust agents: one file, one arrow of the diagram in `topology`."""
