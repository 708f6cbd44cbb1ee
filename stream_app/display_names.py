"""What members are called where people read: the directory's names, at the very edge (pure)."""

from collections.abc import Callable

from stream_app.config.model import Config

Name = Callable[[str, str], str]
"""(dimension, member) → the name to show."""


def display_names(config: Config) -> Name:
    """Names of reps and teams from the directory, also inside combinations; others as they are."""

    def of_one(dimension: str, member: str) -> str:
        if dimension == "rep":
            rep = config.directory.get(member)
            return (None if rep is None else rep.name) or member
        return config.team_names.get(member, member) if dimension == "team" else member

    def name(dimension: str, member: str) -> str:
        dimensions = dimension.split("+")
        members = member.split("+") if len(dimensions) > 1 else [member]
        if len(dimensions) != len(members):
            return member
        return " + ".join(map(of_one, dimensions, members))

    return name
