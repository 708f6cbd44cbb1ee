"""Everything that is derived: rules, Alertmanager's configuration, dashboards, schemas.

    schemas.py, event_schema.py, asyncapi.py   what the topics carry, from our own types
    pipeline_rules.py, target_rules.py         when Prometheus alerts
    alertmanager.py                            who is told, from `notify`
    query.py, panels.py, dashboards/           what Grafana shows, from the catalogue
    files.py                                   all of it as file name → text; `drift.py` compares

Pure: a company in, texts out. Rendered files say results only: no formula of a KPI and no target's
number stands in any of them.
"""
