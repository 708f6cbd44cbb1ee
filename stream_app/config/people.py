"""The sections about people: `directory` (display names, teams) and `notify` (who is told)."""

import re
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from stream_app.config.compose import compose, read_file
from stream_app.config.errors import Report
from stream_app.config.model import Notify, Receiver, Rep
from stream_app.config.nearest import hint, shown
from stream_app.config.scalars import file_path
from stream_app.config.yaml_nodes import Value

_EMAIL: Final = re.compile(r"[^@\s,;]+@[^@\s,;]+")
_WAYS: Final = (
    "slack_webhook_file",
    "teams_webhook_file",
    "webhook_url",
    "webhook_url_file",
    "email_to",
)


Directory = tuple[dict[str, Rep], dict[str, str]]
"""Reps by id, and display names of teams."""


def read_directory(value: Value | None, base_dir: Path, report: Report) -> Directory:
    """The section `directory`: written here, or the name of a YAML file with the same content."""
    if value is None:
        return {}, {}
    if value.is_mapping:
        return _reps(value), _teams(value)
    path = file_path(base_dir)(value)
    if path is None:
        return {}, {}
    if not path.is_file():
        # An import writes it: the first one must not fail because it has not been there yet.
        value.warn(
            f"there is no file {str(path)!r} yet (paths start from the configuration's folder); "
            "`stream-app import` writes it"
        )
        return {}, {}
    text = read_file(path, report)
    root = None if text is None else compose(text, str(path), report)
    return ({}, {}) if root is None else (_reps(root), _teams(root))


def _teams(directory: Value) -> dict[str, str]:
    """Names of teams; what else is wrong with them was told when the reps were read."""
    listed = directory.entries("").get("teams")
    if listed is None or not listed.is_mapping:
        return {}
    names: dict[str, str] = {}
    for team_id, entry in listed.entries("a mapping like {emea: {name: …}}").items():
        if not entry.is_null:
            name = entry.section(("name",)).read("name", Value.text)
            if name is not None:
                names[team_id] = name
    return names


def _reps(directory: Value) -> dict[str, Rep]:
    listed = directory.section(("reps", "teams")).get("reps")
    if listed is None:
        return {}
    reps: dict[str, Rep] = {}
    for rep_id, entry in listed.entries("a mapping like {r-17: {name: …, team: …}}").items():
        if entry.is_null:
            reps[rep_id] = Rep(id=rep_id)
            continue
        section = entry.section(("name", "team"))
        reps[rep_id] = Rep(
            id=rep_id,
            name=section.read("name", Value.text),
            team=section.read("team", Value.text),
        )
    return reps


def read_notify(value: Value | None, base_dir: Path) -> Notify | None:
    """The section `notify`."""
    if value is None:
        return None
    section = value.section(("default", "receivers"), required=("default", "receivers"))
    listed = section.get("receivers")
    receivers: dict[str, Receiver] = {}
    if listed is not None:
        entries = listed.entries("a mapping like {sales-ops: {slack_webhook_file: …}}")
        receivers = {name: _receiver(name, entry, base_dir) for name, entry in entries.items()}
    default = section.read_or("default", Value.text, "")
    chosen = section.get("default")
    if chosen is not None and default and default not in receivers:
        chosen.error(f"no receiver is called {shown(default)}{hint(default, receivers)}")
    return Notify(default=default, receivers=receivers)


def _receiver(name: str, value: Value, base_dir: Path) -> Receiver:
    section = value.section(_WAYS)
    if value.is_mapping and not any(section.get(way) for way in _WAYS):
        value.error(f"says no way to reach anybody; write one of {', '.join(_WAYS)}")
    read_path = file_path(base_dir)
    return Receiver(
        name=name,
        slack_webhook_file=section.read("slack_webhook_file", read_path),
        teams_webhook_file=section.read("teams_webhook_file", read_path),
        webhook_url=section.read("webhook_url", web_address),
        webhook_url_file=section.read("webhook_url_file", read_path),
        email_to=section.read("email_to", _email),
    )


def web_address(value: Value) -> str | None:
    """An http or https URL without credentials in it."""
    text = value.text(1_024)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
        has_credentials = parts.username is not None or parts.password is not None
        _ = parts.port  # a port out of range raises
    except ValueError:
        is_address, has_credentials = False, "@" in text
    if has_credentials:  # and the message must not repeat them
        value.error("has a user or password in it; name a file that holds the URL instead")
    elif not is_address:
        value.error(f"{shown(text)} is not an address like https://kpi.example.org/in/hubspot")
    else:
        return text
    return None


def _email(value: Value) -> str | None:
    text = value.text()
    if text is None or _EMAIL.fullmatch(text):
        return text
    value.error("is not one e-mail address, like sales-ops@example.org")
    return None
