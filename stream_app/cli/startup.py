"""What most commands begin with: settings and configuration, or exit code 2 with all errors."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from stream_app.company import Company, load_company
from stream_app.config.errors import ConfigErrors
from stream_app.settings import Settings, SettingsErrors, from_environment

USAGE = 2
"""Exit code of wrong usage or configuration."""


def settings_and_company(config_path: Path | None) -> tuple[Settings, Company]:
    """Read the environment and the configuration file; ends the program if they are wrong.

    Args:
        config_path: of `--config`; None: what STREAM_APP_CONFIG says.
    """
    settings = read_settings()
    if config_path is not None:
        settings = replace(settings, config_path=config_path)
    try:
        company = load_company(settings.config_path)
    except ConfigErrors as errors:
        click.echo(str(errors), err=True)
        sys.exit(USAGE)
    for warning in company.config.warnings:
        click.echo(f"warning: {warning}", err=True)
    return settings, company


def read_settings() -> Settings:
    """Read the environment; ends the program if it is wrong."""
    try:
        settings = from_environment()
    except SettingsErrors as errors:
        click.echo(str(errors), err=True)
        sys.exit(USAGE)
    for warning in settings.warnings:
        click.echo(f"warning: {warning}", err=True)
    return settings
