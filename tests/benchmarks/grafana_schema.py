"""Checks the rendered dashboards against the types that Grafana publishes, without a Grafana.

    python -m tests.benchmarks.grafana_schema [VERSION of @grafana/schema, 13 or newer]

Needs node, npm and the network. Every dashboard becomes a TypeScript file in which the JSON is
declared to be what `@grafana/schema` says it must be: the dashboard, and each panel with the
options and field options of its kind. What the types leave open is not checked: what stands in
overrides and transformations, the queries (a real Prometheus is asked those), and how it looks.
"""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

DASHBOARDS = Path(__file__).resolve().parents[2] / "grafana" / "dashboards"
KINDS = {
    "stat": ("StatPanelCfg", False),
    "bargauge": ("BarGaugePanelCfg", False),
    "timeseries": ("TimeSeriesPanelCfg", True),
    "table": ("TablePanelCfg", True),
    "state-timeline": ("StateTimelinePanelCfg", True),
}
"""Kind of panel → the file of its types, and whether it has field options of its own."""

SURPLUS = {
    "auto": "of variables of intervals only; the builders write its default for all",
    "auto_min": "the same",
    "auto_count": "the same",
    "footer": "of tables until Grafana 12; the types are those of 13",
}
"""What the builders write and the types do not list; Grafana ignores what it does not know."""

TYPES = """\
import type { Dashboard, Panel } from '@grafana/schema';
%(imports)s
// JSON holds the values of enumerations, not their names.
type Plain<T> = T extends string ? `${T}` : T extends number | boolean | null | undefined ? T
  : T extends (infer U)[] ? Plain<U>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
"""


def main(version: str) -> int:
    """Install, write, compile; returns the compiler's exit status."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        packages = [f"@grafana/schema@{version}", "typescript@5"]
        subprocess.run(["npm", "init", "-y"], cwd=directory, check=True, capture_output=True)
        subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *packages],
            cwd=directory,
            check=True,
            capture_output=True,
        )
        files, kinds = [], Counter[str]()
        for path in sorted(DASHBOARDS.glob("*.json")):
            board = json.loads(path.read_text(encoding="utf-8"), object_hook=without_surplus)
            kinds.update(panel["type"] for panel in board["panels"])
            written = directory / f"{path.stem}.ts"
            written.write_text(source(board), encoding="utf-8")
            files.append(written.name)
        options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext"]
        command = ["npx", "tsc", *options, "--moduleResolution", "nodenext", *files]
        done = subprocess.run(command, cwd=directory, check=False)
        installed = directory / "node_modules" / "@grafana" / "schema" / "package.json"
        found = json.loads(installed.read_text())["version"]
    verdict = "fit" if done.returncode == 0 else "do not fit"
    print("left out:", "; ".join(f"{key} ({why})" for key, why in SURPLUS.items()))
    print(f"{len(files)} dashboards, panels {dict(kinds)}: they {verdict} @grafana/schema {found}")
    return done.returncode


def without_surplus(node: dict[str, object]) -> dict[str, object]:
    """The object without what is known not to be in the types."""
    return {key: value for key, value in node.items() if key not in SURPLUS}


def source(board: dict[str, object]) -> str:
    """A dashboard as TypeScript."""
    imports = "\n".join(
        f"import type * as {file} from"
        f" '@grafana/schema/dist/esm/raw/composable/{kind.replace('-', '')}/panelcfg/x/"
        f"{file}_types.gen';"
        for kind, (file, _) in KINDS.items()
    )
    lines = [TYPES % {"imports": imports}, declared("board", "Dashboard", board)]
    panels = board["panels"]
    assert isinstance(panels, list)
    for place, panel in enumerate(panels):
        file, has_fields = KINDS[panel["type"]]
        fields = f"{file}.FieldConfig" if has_fields else "{}"
        # Options are `Partial`: Grafana fills in what is absent.
        of_panel = f"Panel<Partial<{file}.Options>, Partial<{fields}>>"
        lines.append(declared(f"panel{place}", of_panel, panel))
        options = json.dumps(panel.get("options", {}))
        lines.append(f"const options{place}: Plain<Partial<{file}.Options>> = {options};")
    return "\n".join(lines)


def declared(name: str, kind: str, value: object) -> str:
    """A constant of a type."""
    return f"export const {name}: Plain<{kind}> = {json.dumps(value)};"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "latest"))
