import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from stream_app.bootstrap import environment
from stream_app.bootstrap.environment import BootstrapError, Environment

BOOTSTRAP = Path(environment.__file__).parent

# Stands for the Python of an environment: knows where the package is, passes and fails as told.
PYTHON = """#!/bin/sh
case "$*" in
  *"import stream_app"*) echo "{root}/stream_app/__init__.py" ;;
  *version_info*) echo "3 11" ;;
  *"-m ruff check"*) echo "ran ruff"; exit 4 ;;
  *"-m pytest"*) echo "ran pytest with $*"; {pytest} ;;
esac
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone with an environment in which everything is installed."""
    root = tmp_path.resolve()
    shutil.copytree(BOOTSTRAP, root / "stream_app" / "bootstrap")
    (root / "stream_app" / "__init__.py").touch()
    (root / "pyproject.toml").write_text("[project]\n")
    (root / ".venv" / "bin").mkdir(parents=True)
    install_program(root, "python", PYTHON.format(root=root, pytest="exit 7"))
    install_program(root, "lint-imports", "#!/bin/sh\necho ran lint-imports\n")
    install_program(root, "stream-app", '#!/bin/sh\necho "ran $*"; exit 5\n')
    environment = Environment(root)
    environment._remember({"mine": True, "installed": environment._wanted("dev", {})})
    return root


def install_program(root: Path, name: str, text: str) -> None:
    program = root / ".venv" / "bin" / name
    program.write_text(text)
    program.chmod(0o755)


def run(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "stream_app.bootstrap", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "path", [BOOTSTRAP.parent / "__init__.py", *BOOTSTRAP.glob("*.py")], ids=lambda path: path.name
)
def test_an_old_python_can_read_it_and_say_that_it_is_too_old(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 6))


def test_a_wrong_command_is_named(clone: Path) -> None:
    answer = run(clone, "demos")
    assert answer.returncode == 2
    assert "unknown command 'demos'; expected demo or test" in answer.stderr
    assert run(clone).returncode == 2
    assert run(clone, "--help").returncode == 0


def test_the_demo_gets_its_arguments_and_gives_its_status(clone: Path) -> None:
    answer = run(clone, "demo", "--rate", "5")
    assert answer.stdout == "ran demo --rate 5\n"
    assert answer.returncode == 5


def test_all_checks_run_and_are_reported_and_the_first_failure_is_the_status(clone: Path) -> None:
    answer = run(clone, "test", "-k", "one")
    assert answer.returncode == 4
    assert "ran lint-imports" in answer.stdout
    assert re.search(r"ran pytest with -m pytest -q .*-k one$", answer.stdout, re.MULTILINE)
    report = [" ".join(line.split()) for line in answer.stderr.splitlines()[-5:]]
    assert [line.split(" s ")[1] for line in report] == [
        "ok",
        "failed with status 4",
        "ok",
        "ok",
        "failed with status 7",
    ]


def test_ctrl_c_lets_the_running_check_end_in_its_own_way(clone: Path) -> None:
    ending = "trap 'echo ended in order; kill $!; exit 1' INT; sleep 600 & echo waiting; wait"
    install_program(clone, "python", PYTHON.format(root=clone, pytest=ending))
    command = [sys.executable, "-m", "stream_app.bootstrap", "test"]
    with subprocess.Popen(
        command, cwd=clone, stdout=subprocess.PIPE, text=True, process_group=0
    ) as tests:
        try:
            assert tests.stdout is not None
            while "waiting" not in (line := tests.stdout.readline()):
                assert line, "it ended before its last check"
            os.killpg(tests.pid, signal.SIGINT)
            assert "ended in order\n" in tests.stdout.read()
            assert tests.wait(20) == 128 + signal.SIGINT
        finally:
            tests.kill()


def test_what_is_installed_is_used_again(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Environment, "_install", lambda *_: pytest.fail("installed again"))
    Environment(clone).prepare("dev")
    Environment(clone).prepare("demo")  # dev contains it


def move_away(root: Path) -> None:
    state_path = root / ".venv" / "stream-app.json"
    state = json.loads(state_path.read_text())
    state["installed"]["root"] = "/where/it/was/before"
    state_path.write_text(json.dumps(state))


@pytest.mark.parametrize(
    ("spoil", "made_anew"),
    [
        (lambda root: (root / "pyproject.toml").write_text("[project]\nname='x'\n"), False),
        (lambda root: (root / ".venv" / "bin" / "python").unlink(), True),
        (lambda root: (root / ".venv" / "stream-app.json").write_text('{"mine": true}'), True),
        (lambda root: (root / ".venv" / "stream-app.json").write_text("{"), False),
        (move_away, True),
    ],
    ids=["new-requirements", "broken-python", "half-made", "somebody-elses", "moved"],
)
def test_what_is_not_as_it_should_be_is_installed_again(
    clone: Path, monkeypatch: pytest.MonkeyPatch, spoil: object, *, made_anew: bool
) -> None:
    done: list[str] = []
    monkeypatch.setattr(Environment, "_make", lambda _self: done.append("made"))
    monkeypatch.setattr(Environment, "_install", lambda _self, extra: done.append(extra))
    assert callable(spoil)
    spoil(clone)
    Environment(clone).prepare("dev")
    assert done == (["made", "dev"] if made_anew else ["dev"])
    Environment(clone)._remember({})


def test_a_directory_that_is_no_environment_is_left_alone(clone: Path) -> None:
    (clone / ".venv" / "stream-app.json").unlink()
    (clone / ".venv" / "bin" / "python").unlink()
    with pytest.raises(BootstrapError, match="is no virtual environment; expected one, or nothing"):
        Environment(clone).prepare("demo")
    assert (clone / ".venv" / "bin").is_dir()


def test_a_python_without_venv_gets_the_name_of_the_package(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (clone / ".venv" / "bin" / "python").unlink()
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(BootstrapError, match=r"apt install python3\.\d+-venv"):
        Environment(clone).prepare("demo")


def test_a_failed_installation_shows_its_last_words_and_is_begun_anew(clone: Path) -> None:
    (clone / "pyproject.toml").write_text("[project]\nname = 'other'\n")
    failing = PYTHON.format(root=clone, pytest="").replace(
        "esac", '  *"-m pip install"*) echo "no such package"; exit 1 ;;\nesac'
    )
    install_program(clone, "python", failing)
    answer = run(clone, "test")
    assert answer.returncode == 1
    assert "no such package" in answer.stderr
    assert "connect to the internet and run this again" in answer.stderr
    assert json.loads((clone / ".venv" / "stream-app.json").read_text()) == {"mine": True}
