"""History from files into `crm.events`.

The path of a row: `rows` reads it from the file, `lookup` gives its columns their meaning (joins,
repairs, pseudonyms), `events` makes the canonical events that the `mapping` asks for, `publish`
sends them and remembers in a `checkpoint` how far the log has acknowledged. `identity` decides what
makes importing twice harmless and a corrected row a correction.
"""
