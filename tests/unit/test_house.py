from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from ruamel.yaml import YAML

from pfflow.cli import app
from pfflow.cycle import STAGES
from pfflow.domain.letter_context import TEMPLATES
from pfflow.domain.words import Stage

ROOT = Path(__file__).parents[2]
FIVE = ("identification", "information_gathering", "service_design", "communication", "evaluation")
COMMANDS = typer.main.get_command(app)


def names_in(folder: str, pattern: str) -> set[str]:
    return {path.stem for path in (ROOT / folder).glob(pattern)} - {"__init__"}


def entrypoints() -> list[str]:
    return [d["entrypoint"] for d in YAML(typ="safe").load(ROOT / "prefect.yaml")["deployments"]]


def test_the_five_names_are_the_same_everywhere() -> None:
    assert tuple(Stage) == FIVE
    assert tuple(STAGES) == FIVE
    assert names_in("pfflow/stages", "*.py") == set(FIVE)
    assert {path.name for path in (ROOT / "templates").iterdir()} == {*FIVE, "layouts", "bundle", "portal"}
    assert {path.stem for path in (ROOT / "flows").glob("*.py")} >= {*FIVE, "lifecycle"}
    deployed = {tuple(entry.split(":")) for entry in entrypoints()}
    assert {(f"flows/{name}.py", name) for name in (*FIVE, "lifecycle")} <= deployed


def test_every_entrypoint_names_a_flow_that_is_there() -> None:
    for entrypoint in entrypoints():
        file, _, function = entrypoint.partition(":")
        defined = {node.name for node in ast.parse((ROOT / file).read_text("utf-8")).body if hasattr(node, "name")}
        assert function in defined, entrypoint


@pytest.mark.parametrize("arguments", [["--help"], ["import", "--help"], ["run", "--help"], ["phase", "--help"]])
def test_help_imports_neither_prefect_nor_sqlalchemy_nor_what_reads_workbooks(arguments: list[str]) -> None:
    asked = (
        "import sys\n"
        "from pfflow.cli import main\n"
        "try:\n"
        f"    main({arguments!r})\n"
        "except SystemExit as ended:\n"
        "    assert not ended.code, ended.code\n"
        "print('IMPORTED', *sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "Usage: pfflow" in said
    imported = set(said.rpartition("IMPORTED")[2].split())
    assert "typer" in imported
    heavy = {
        "prefect",
        "sqlalchemy",
        "alembic",
        "fastapi",
        "jinja2",
        "icalendar",
        "holidays",
        "python_calamine",
    }
    assert imported & heavy == set()


def command_names() -> list[str]:
    return sorted(COMMANDS.commands)  # type: ignore[attr-defined]  # a typer app of several commands is a group


@pytest.mark.parametrize("name", command_names())
def test_every_command_and_option_says_what_it_is_for(name: str) -> None:
    command = COMMANDS.commands[name]  # type: ignore[attr-defined]  # as above
    assert command.help
    assert command.help.partition("\n")[0].rstrip().endswith((".", ":")), name
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name}: {parameter.name}"


def modules_of(folder: str) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path, ast.parse(path.read_text("utf-8"))


OPENERS = frozenset(
    {
        "Settings",
        "engine",
        "opened_store",
        "create_engine",
        "open_engines",
        "SqlStore",
        "get_client",
        "now",
        "local_mailbox",
    }
)


def calls_at_import(tree: ast.Module) -> Iterator[str]:
    """Give the names a module calls when it is imported: everything outside the bodies of functions."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += [*node.decorator_list, *node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
            continue
        if isinstance(node, ast.Lambda):
            continue
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)
        waiting += list(ast.iter_child_nodes(node))


@pytest.mark.parametrize("folder", ["flows", "pfflow"])
def test_no_module_opens_a_store_or_reads_settings_or_a_clock_at_import(folder: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in modules_of(folder)
        for name in calls_at_import(tree)
        if name.split(".")[0] in OPENERS or name.endswith((".open", ".now"))
    ]
    assert found == []


def test_the_check_of_calls_at_import_sees_them() -> None:
    seen = set(
        calls_at_import(ast.parse("S = Settings()\ndef f(at=now()):\n    engine()\nclass C:\n    s = open_engines(1)"))
    )
    assert seen == {"Settings", "now", "open_engines"}


def test_importing_the_flows_reads_no_file_of_the_house_and_makes_none(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", "import flows.tables, flows.story, pfflow.bootstrap, pfflow.cycle"],
        cwd=tmp_path,
        env={
            "PYTHONPATH": str(ROOT),
            "PFFLOW_DB": "nonsense",
            "PFFLOW_MAIL": "live",
            "HOME": str(tmp_path),
            "PATH": "",
        },
        check=True,
        capture_output=True,
    )
    assert not (tmp_path / ".pfflow").exists()


def test_the_templates_are_exactly_the_notices_that_are_sent() -> None:
    kept = {f"{stage}/{path.name}" for stage in Stage for path in (ROOT / "templates" / stage).glob("*/")}
    # Beside those chosen by stage and action there are a few that code names: warnings, and what is said of a meeting
    # that is moved or called off.
    stages = "|".join(Stage)
    named = {
        node.value
        for _, tree in modules_of("pfflow")
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(rf"({stages})/[a-z_]+", node.value)
    }
    assert named >= {"communication/cancellation", "information_gathering/risk_warning"}
    assert kept == set(TEMPLATES.values()) | named
    for notice in kept:
        folder = ROOT / "templates" / notice
        files = {str(path.relative_to(folder)) for path in folder.rglob("*.*")}
        assert files >= {"body.txt", "body.html", "en/subject.txt", "zh-CN/subject.txt"}, notice


REGISTRY = re.compile(
    r"https?://[\w.-]*(pypi|npmjs|artifactory|nexus|jfrog|mirror|registry|index)[\w.-]*[/:]|--(extra-)?index-url|PIP_INDEX",
    re.IGNORECASE,
)
MACHINE = re.compile(r"(?<![\w.}/~-])/(?:root|home|Users|work|workspace|tmp|private|mnt|srv)/[\w.-]+")


def text_files() -> Iterator[tuple[str, str]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path == Path(__file__) or not path.is_file() or path.suffix in {".xlsx", ".png", ".jpg", ".pdf"}:
            continue
        yield name, path.read_text("utf-8")


def test_no_file_of_the_repository_names_a_registry_or_a_path_of_one_machine() -> None:
    found = [
        f"{name}: {match.group()}"
        for name, text in text_files()
        for pattern in (REGISTRY, MACHINE)
        if (match := pattern.search(text))
    ]
    assert found == []


@pytest.mark.parametrize("parts", [("home", "jane"), ("root", "x")])
def test_the_check_of_paths_sees_them(parts: tuple[str, str]) -> None:
    assert MACHINE.search("in '/" + "/".join(parts) + "'")


def test_the_check_of_registries_sees_them() -> None:
    assert REGISTRY.search("https://" + "pypi" + ".corp.example/simple")


def test_the_commands_that_docs_cli_tells_are_the_apps() -> None:
    told = re.findall(r"^### `pfflow ([a-z-]+)", (ROOT / "docs" / "cli.md").read_text("utf-8"), re.MULTILINE)
    assert sorted(told) == command_names()
    assert len(told) == len(set(told))
