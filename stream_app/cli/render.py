"""`stream-app render`: everything derived, from the catalogue and the configuration."""

import sys
from pathlib import Path

import click

from stream_app.cli.reading import FOUND, config_option
from stream_app.cli.startup import USAGE, settings_and_company
from stream_app.render.alertmanager import Mail
from stream_app.render.drift import drift, leftovers, write
from stream_app.render.files import Wishes, rendered_files


@click.command("render", epilog="Example: stream-app render --config company.yaml --out monitoring")
@config_option
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="Where the folders deploy/ and grafana/ are or shall be.",
)
@click.option("--check", is_flag=True, help="Write nothing; show what differs and end with 1.")
@click.option("--names", is_flag=True, help="Dashboards show the directory's names of persons.")
@click.option(
    "--prometheus",
    default="http://prometheus:9090",
    show_default=True,
    help="Its address as Grafana sees it.",
)
@click.option("--smtp", default="localhost:25", show_default=True, help="Mail server, host:port.")
@click.option(
    "--smtp-from", default="stream-app@localhost", show_default=True, help="Sender of the mails."
)
@click.option("--smtp-user", help="Its login; the password is read from --smtp-password-file.")
@click.option(
    "--smtp-password-file",
    default="/run/secrets/smtp_password",
    show_default=True,
    help="Where Alertmanager finds the password.",
)
def command(
    config_path: Path | None,
    out: Path,
    *,
    check: bool,
    names: bool,
    prometheus: str,
    smtp: str,
    smtp_from: str,
    smtp_user: str | None,
    smtp_password_file: str,
) -> None:
    """Render dashboards, rules, Alertmanager routes, JSON Schemas and AsyncAPI.

    Everything follows from the catalogue and the configuration; changes made by hand are
    overwritten. Exit code 1: with --check a file differs.
    """
    _, company = settings_and_company(config_path)
    mail = Mail(smarthost=smtp, sender=smtp_from, user=smtp_user, password_file=smtp_password_file)
    files = rendered_files(company, Wishes(names=names, prometheus=prometheus, mail=mail))
    if check:
        differences = [*drift(out, files)]
        click.echo("".join(differences), nl=False)
        if differences:
            click.echo(
                f"{len(differences)} of {len(files)} rendered files differ. What to do: run"
                " `stream-app render` with the same options and commit the change",
                err=True,
            )
            sys.exit(FOUND)
        click.echo(f"{len(files)} rendered files are as they should be")
        return
    try:
        changed = write(out, files)
    except OSError as error:
        click.echo(
            f"{error.filename}: cannot be written ({error.strerror}); name a directory of yours"
            " with --out",
            err=True,
        )
        sys.exit(USAGE)
    for name in leftovers(out, files):
        click.echo(f"{name}: is not rendered any more, remove it", err=True)
    for name in changed:
        click.echo(name)
    click.echo(f"{len(changed)} of {len(files)} files changed in {out}")
