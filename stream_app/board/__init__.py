"""Live KPIs in the terminal, from `kpi.values`.

`standing` keeps the latest records, `view` makes a table of them (both pure), `screen` draws it.
"""
