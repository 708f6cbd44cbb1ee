"""The pure core: events in, KPI values out; no broker, no store, no event loop, no clock."""
