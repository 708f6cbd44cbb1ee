"""The commands, one module each; a command's module is imported when it is asked for.

Exit codes: 0 fine, 1 found something (differences, refused rows), 2 wrong usage or configuration.
"""

from importlib import import_module
from typing import Final

import click

from stream_app import __version__
from stream_app.config.nearest import hint, shown

COMMANDS: Final = {
    "demo": "the whole thing on one machine with nothing prepared",
    "worker": "run a Faust worker: events in, KPIs out",
    "simulate": "a reproducible CRM: write simulated events",
    "import": "write history from a CSV file",
    "board": "live KPIs in the terminal",
    "report": "a period's KPIs against targets and the period before: HTML, CSV",
    "explain": "why a value is what it is: what makes it up, what restated it",
    "render": "everything derived: dashboards, rules, schemas",
    "check": "check configuration, connections and sizes",
    "verify": "prove that every KPI equals what the log says",
    "rebuild": "throw the state away, so that workers rebuild it from the log",
    "copy-log": "copy crm.events, for another number of partitions",
    "dead-letters": "list and show rejected records",
}
_MODULES: Final = {"import": "import_", "dead-letters": "dead_letters", "copy-log": "copy_log"}


class _LazyCommands(click.Group):
    """Imports a command's module on first use, so that `--help` stays instant."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"stream_app.cli.{_MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        word = args[0]
        if word not in COMMANDS and not word.startswith("-"):
            ctx.fail(f"there is no command {shown(word)}{hint(word, COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_LazyCommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stream-app")
def main() -> None:
    """An event-driven KPI monitor for sales: CRM events from Kafka in, exact KPIs out.

    Where things are comes from STREAM_APP_… variables (STREAM_APP_KAFKA, STREAM_APP_REDIS, …),
    what the business wants from one YAML file (STREAM_APP_CONFIG, or --config).
    """
