"""What the worker shows: KPI gauges, metrics about itself, health."""
