"""Everything wrong with a configuration, collected and told at once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConfigError:
    """One thing that is wrong.

    Attributes:
        filename: the file as the user named it.
        line: its line, from 1; None when it is about the file itself.
        path: the key path, like `targets[0].kpi`; empty for the document.
        message: what is wrong, what was expected, what to do.
    """

    filename: str
    line: int | None
    path: str
    message: str

    def __str__(self) -> str:
        place = self.filename if self.line is None else f"{self.filename}:{self.line}"
        return ": ".join(part for part in (place, self.path, self.message) if part)


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something in the main file that is allowed but probably not meant."""

    path: str
    message: str


class ConfigErrors(Exception):
    """A configuration cannot be used; `str()` has one line for each thing that is wrong.

    Attributes:
        errors: the main file's first, by line; never empty.
    """

    def __init__(self, errors: tuple[ConfigError, ...]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return "\n".join(map(str, self.errors))


class Report:
    """Where the readers of a configuration complain.

    Args:
        filename: the main file, whose errors come first.

    Attributes:
        warnings: what is allowed but probably not meant, in the form of an error's line.
    """

    def __init__(self, filename: str) -> None:
        self._errors: dict[ConfigError, None] = {}  # a set that keeps the order
        self._warnings: dict[ConfigError, None] = {}
        self._files = {filename: 0}

    def add(self, error: ConfigError) -> None:
        """Note an error, once; reading goes on, so that the others are found too."""
        self._files.setdefault(error.filename, len(self._files))
        self._errors[error] = None

    def warn(self, warning: ConfigError) -> None:
        """Note something that does not keep the configuration from being used."""
        self._warnings[warning] = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings as lines of text."""
        return tuple(map(str, self._warnings))

    def has_error_at(self, path: str) -> bool:
        """Whether this key path, or one below it, is already known to be wrong."""
        return any(
            error.path == path or error.path.startswith((f"{path}.", f"{path}["))
            for error in self._errors
        )

    def raise_if_any(self) -> None:
        """Tell everything that was found.

        Raises:
            ConfigErrors: something was.
        """
        if self._errors:
            raise ConfigErrors(
                tuple(
                    sorted(
                        self._errors,
                        key=lambda error: (self._files[error.filename], error.line or 0),
                    )
                )
            )
