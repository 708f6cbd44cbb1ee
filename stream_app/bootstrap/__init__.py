"""From a fresh clone to a running demo, or to passed tests, with nothing but Python.

    python3 -m stream_app.bootstrap demo [arguments of stream-app demo]
    python3 -m stream_app.bootstrap test [arguments of pytest]

It makes a virtual environment `.venv` in the clone, installs the project into it, and runs what was
asked for. The environment is used again while pyproject.toml stays the same; one that was left half
made is made anew. Standard library only: nothing is installed when this runs. Its syntax is that of
Python 3.6, so that an old Python gets a message instead of a syntax error.
"""

import shutil
import subprocess
import sys

OLDEST_PYTHON = (3, 11)
WRONG_USAGE = 2

if sys.version_info < OLDEST_PYTHON:
    _others = [shutil.which(name) for name in ("python3.12", "python3.11", "python3.13")]
    _runs = [
        path
        for path in _others
        if path and subprocess.call([path, "-c", "import venv"], stderr=subprocess.DEVNULL) == 0
    ]
    _advice = "install one (python.org, your package manager, pyenv) and run it again with it"
    sys.stderr.write(
        "stream-app needs Python 3.11 or newer; this is Python {} ({}).\nWhat to do: {}.\n".format(
            ".".join(map(str, sys.version_info[:3])),
            sys.executable,
            "run it again with " + _runs[0] + " in place of python3" if _runs else _advice,
        )
    )
    sys.exit(WRONG_USAGE)
