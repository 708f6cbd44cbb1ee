"""The two stages of the stream, without Faust: take a batch, change the state, commit, publish.

`measuring` turns the records of one partition of `crm.events` into partials; `evaluating` takes in
the records of one partition of `kpi.partials`, and `speaking` says their KPI values. They see Redis
and Kafka only through the protocols in `ports`, so the same code runs in the worker and in the
simulation.
"""
