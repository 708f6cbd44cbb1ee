"""A reproducible CRM, for demos, load and tests.

This is the pure part; sending its records lives in `stream_app.simulate.delivery`.
"""

from stream_app.simulate.company import matching_configuration
from stream_app.simulate.manifest import Manifest
from stream_app.simulate.options import Options
from stream_app.simulate.record import SimRecord
from stream_app.simulate.simulation import Simulation, simulate

__all__ = [
    "Manifest",
    "Options",
    "SimRecord",
    "Simulation",
    "matching_configuration",
    "simulate",
]
