"""The proof: every KPI computed again from the log in one plain pass, and compared.

`recompute` uses the same pure functions as the live path, but none of its machinery: no state, no
partials, no commits, no batches. `compare` says where the two differ.
"""
