"""`stream-app report`: a period's KPIs against targets and the period before.

`archive` keeps what `kpi.values` says of one kind of window, `contents` arranges it (nothing is
computed but comparisons), `page`, `screen` and `rows` show it. All but the command is pure.
"""
