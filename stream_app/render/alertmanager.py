"""Alertmanager's configuration from `notify`: who hears of what, how often, and when not.

One message per target, not per member: five teams that fall behind together are one message. Good
news, and the suggestion to coach somebody, go once and are never taken back. While the pipeline is
down or rebuilt, what the KPIs say is old, so only the pipeline's own alert is told.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stream_app.config.model import Config, Receiver
from stream_app.render.pipeline_rules import HOLDS_KPI_ALERTS
from stream_app.render.target_rules import ACHIEVED, COACHING

NOBODY: Final = "nobody (stream-app)"
TOLD_ONCE: Final = " (told once)"
"""Ends the name of a receiver of what is told once, and not when it is over."""

_TITLE: Final = (
    '{{ if eq .Status "resolved" }}Resolved: {{ end }}'
    "{{ with .CommonAnnotations.summary }}{{ . }}{{ else }}"
    "{{ len .Alerts }} alerts: {{ .CommonLabels.alertname }} {{ .CommonLabels.target }}{{ end }}"
)
_TEXT: Final = (
    "{{ range .Alerts }}"
    '{{ if eq .Status "resolved" }}resolved: {{ end }}{{ .Annotations.summary }}\n'
    "{{ .Annotations.description }}\n"
    "{{ with .Annotations.explain }}why: {{ . }}\n{{ end }}"
    "{{ with .Annotations.runbook }}what to do: {{ . }}\n{{ end }}"
    "{{ end }}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """The server that takes our mail.

    Attributes:
        smarthost: `host:port`.
        sender: what stands in From.
        user: None: it wants no login. The password is in a file.
    """

    smarthost: str = "localhost:25"
    sender: str = "stream-app@localhost"
    user: str | None = None
    password_file: str = "/run/secrets/smtp_password"  # noqa: S105 - a place, no secret


def alertmanager(config: Config, mail: Mail | None = None) -> Mapping[str, Any]:
    """The file's content."""
    notify = config.notify
    receivers = {} if notify is None else notify.receivers
    default = NOBODY if notify is None else notify.default
    owners = sorted({*receivers} & {target.owner for target in config.targets})
    uses_mail = any(receiver.email_to for receiver in receivers.values())
    document: dict[str, Any] = {}
    if uses_mail:
        document["global"] = _mail(mail or Mail())
    return document | {
        "route": {
            "receiver": default,
            "group_by": ["alertname", "target"],
            "group_wait": "10s",
            "group_interval": "5m",
            "repeat_interval": "24h",
            "routes": [
                {
                    "matchers": ['about="pipeline"'],
                    "group_by": ["alertname"],
                    "routes": [
                        {"matchers": ['severity="critical"'], "repeat_interval": "4h"},
                        {"matchers": ['severity="info"'], "receiver": NOBODY},
                    ],
                },
                *(_told_once(default, owner) for owner in (*owners, None)),
                *(
                    {"matchers": [f"owner={_quoted(owner)}"], "receiver": owner}
                    for owner in owners
                    if owner is not None and owner != default
                ),
            ],
        },
        "inhibit_rules": [
            {
                "source_matchers": [f'alertname=~"{"|".join(HOLDS_KPI_ALERTS)}"'],
                "target_matchers": ['about="kpi"'],
            }
        ],
        "receivers": [{"name": NOBODY}, *_receivers(receivers)],
    }


def _told_once(default: str, owner: str | None) -> Mapping[str, Any]:
    matchers = [f'alertname=~"{ACHIEVED}|{COACHING}"']
    if owner is not None:
        matchers.append(f"owner={_quoted(owner)}")
    receiver = default if owner is None else owner
    return {
        "matchers": matchers,
        "receiver": receiver if receiver == NOBODY else receiver + TOLD_ONCE,
    }


def _quoted(text: str) -> str:
    escaped = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'"{escaped}"'


def _mail(mail: Mail) -> Mapping[str, Any]:
    rendered = {"smtp_smarthost": mail.smarthost, "smtp_from": mail.sender}
    if mail.user is not None:
        rendered["smtp_auth_username"] = mail.user
        rendered["smtp_auth_password_file"] = mail.password_file
    return rendered


def _receivers(receivers: Mapping[str, Receiver]) -> Iterator[Mapping[str, Any]]:
    for name, receiver in receivers.items():
        yield {"name": name} | _ways(receiver, resolved=True)
        yield {"name": name + TOLD_ONCE} | _ways(receiver, resolved=False)


def _ways(receiver: Receiver, *, resolved: bool) -> dict[str, list[Mapping[str, Any]]]:
    """Everything the receiver is reached by; secrets stay in their files."""
    common = {"send_resolved": resolved}
    ways: dict[str, list[Mapping[str, Any]]] = {}
    if receiver.slack_webhook_file is not None:
        slack = {"api_url_file": str(receiver.slack_webhook_file), "title": _TITLE, "text": _TEXT}
        ways["slack_configs"] = [common | slack]
    if receiver.teams_webhook_file is not None:
        teams = {"webhook_url_file": str(receiver.teams_webhook_file)}
        ways["msteamsv2_configs"] = [common | teams | {"title": _TITLE, "text": _TEXT}]
    hooks: list[Mapping[str, Any]] = []
    if receiver.webhook_url is not None:
        hooks.append(common | {"url": receiver.webhook_url})
    if receiver.webhook_url_file is not None:
        hooks.append(common | {"url_file": str(receiver.webhook_url_file)})
    if hooks:
        ways["webhook_configs"] = hooks
    if receiver.email_to is not None:
        subject = {"headers": {"Subject": _TITLE}, "html": "", "text": _TEXT}
        ways["email_configs"] = [common | {"to": receiver.email_to} | subject]
    return ways
