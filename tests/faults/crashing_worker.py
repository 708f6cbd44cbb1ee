"""`stream-app worker` that ends at a crash point.

STREAM_APP_CRASH_AT=measure.after_commit:17 python -m tests.faults.crashing_worker

Only here is the variable read: the program itself warns that nothing reads it.
"""

import os

from stream_app.cli import main
from tests.faults.crash_points import arm

if __name__ == "__main__":
    arm(os.environ.pop("STREAM_APP_CRASH_AT"))
    main(["worker"])
