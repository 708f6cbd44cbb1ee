"""Text to a bounded tree of YAML nodes: what is no YAML, or a bomb, is told with its line."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import yaml
from yaml.reader import ReaderError

from stream_app.config.errors import ConfigError, Report
from stream_app.config.nearest import shown
from stream_app.config.yaml_nodes import Document, Value

NODES_MAX: Final = 500_000
DEPTH_MAX: Final = 20
CHARACTERS_MAX: Final = 4_000_000
_CORE_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{name}"
    for name in ("null", "bool", "int", "float", "str", "timestamp", "value", "merge", "seq", "map")
)


def read_file(path: Path, report: Report) -> str | None:
    """The text of a file in UTF-8; None after complaining that it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        report.add(ConfigError(str(path), line, "", "not UTF-8; save the file in UTF-8"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        report.add(ConfigError(str(path), None, "", f"cannot be read: {reason}"))
    return None


def compose(text: str, filename: str, report: Report) -> Value | None:
    """Read a file's text as one YAML document.

    Returns:
        Its root, safe to walk (bounded, no cycles); None for an empty document, and after
        complaining about one that cannot be read.
    """

    def complain(line: int | None, message: str) -> None:
        report.add(ConfigError(filename, line, "", message))

    try:
        node = _parse(text)
    except _NotYaml as problem:
        complain(problem.line, problem.message)
        return None
    if node is None or not _is_safe(node, complain):
        return None
    return Value(node, "", Document(filename, report, {}))


class _NotYaml(Exception):
    def __init__(self, line: int | None, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


def _parse(text: str) -> yaml.Node | None:
    if len(text) > CHARACTERS_MAX:
        raise _NotYaml(None, f"has {len(text)} characters; at most {CHARACTERS_MAX} are read")
    try:
        loader = yaml.SafeLoader(text)
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _NotYaml(line, "not YAML: a character that YAML does not allow; remove it") from None
    try:
        return loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = (loader if mark is None else mark).line + 1
        message = f"not YAML: {_problem(error)}"
    except RecursionError:
        line = loader.line + 1
        message = f"nested too deeply; at most {DEPTH_MAX} levels are read"
    except (yaml.YAMLError, ValueError, OverflowError):
        # PyYAML lets chr() and int() speak for escapes and directives out of range.
        line = loader.line + 1
        message = "not YAML: an escape or a directive has a number out of range"
    raise _NotYaml(line, message)


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "it cannot be read"
    if "'\\t'" in problem:
        return "a tab where YAML allows only spaces; indent with spaces"
    context, mark = error.context, error.context_mark
    if context and problem.startswith("but "):
        return f"{context}, {problem}"
    if context and mark:
        return f"{problem} ({context} that starts on line {mark.line + 1})"
    return problem


def _is_safe(root: yaml.Node, complain: Callable[[int | None, str], None]) -> bool:
    """Whether the tree, aliases written out, is bounded and of plain YAML."""
    stack: list[tuple[yaml.Node, int]] = [(root, 1)]
    seen = 0
    foreign: dict[int, tuple[int, str]] = {}
    while stack:
        node, depth = stack.pop()
        seen += 1
        line = node.start_mark.line + 1
        if depth > DEPTH_MAX:
            complain(line, f"nested too deeply; at most {DEPTH_MAX} levels are read")
            return False
        if seen > NODES_MAX:
            complain(line, f"too large with its aliases written out; at most {NODES_MAX} values")
            return False
        if node.tag not in _CORE_TAGS:
            foreign[id(node)] = (line, f"the tag {shown(node.tag)} is not allowed; leave it out")
        if isinstance(node, yaml.SequenceNode):
            stack.extend((child, depth + 1) for child in node.value)
        elif isinstance(node, yaml.MappingNode):
            stack.extend((child, depth + 1) for pair in node.value for child in pair)
    for line, message in foreign.values():
        complain(line, message)
    return not foreign
