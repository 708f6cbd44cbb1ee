import ast
from pathlib import Path

import pytest

import stream_app.simulate

_FOLDER = Path(stream_app.simulate.__file__).parent
_EDGE = "delivery.py"
_FORBIDDEN = {"asyncio", "time", "aiokafka", "faust", "redis", "os", "socket", "secrets", "uuid"}


@pytest.mark.parametrize(
    "file", [f for f in sorted(_FOLDER.glob("*.py")) if f.name != _EDGE], ids=lambda f: f.name
)
def test_the_generator_knows_no_broker_loop_or_clock(file: Path) -> None:
    imported = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.partition(".")[0])
    assert not imported & _FORBIDDEN
