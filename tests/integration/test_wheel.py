"""The wheel carries what it needs: installed away from the checkout, it lives a day and writes its letters."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = [
    pytest.mark.xdist_group("wheel"),
    pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling is missing"),
]  # fmt: skip

# `-S` leaves out site and with it the .pth file by which an editable install puts the checkout on the path; the
# dependencies' folders are then named one by one.
LIVE = """
import sys
sys.path[:0] = sys.argv[1:2]
sys.path += sys.argv[2].split(":")
import pfflow
from pathlib import Path
target = Path(sys.argv[1])
assert Path(pfflow.__file__).is_relative_to(target), pfflow.__file__
import flows
assert Path(flows.__file__).is_relative_to(target), flows.__file__
example = target / "pfflow" / "shipped" / "examples" / "expressway"
from pfflow.cli import main
for words in (
    ["import", str(example / "register.xlsx")],
    ["adopt", str(example / "playbook.yaml")],
    ["run", "--from", "2026-01-05", "--until", "2026-01-05"],
    ["verify"],
    ["mailbox", "--subject", "启动会"],
    ["mailbox", "EXP-01/information/P-01/1/request-10bd-debtor/C-01"],
):
    try:
        main(words)
    except SystemExit as ended:
        assert not ended.code, (words, ended.code)
print("FROM", *sorted({str(Path(m.__file__).parent) for n, m in sys.modules.items()
    if n.partition(".")[0] in ("pfflow", "flows") and getattr(m, "__file__", None)}), sep="\\n")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as pip does, without asking any network."""
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("pfflow-*.whl")
    return built


def _pip(*arguments: object) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 0, said.stderr


def test_the_wheel_carries_code_flows_templates_migrations_and_examples(wheel: Path) -> None:
    carried = set(zipfile.ZipFile(wheel).namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "pfflow", "flows", "templates", "examples"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if tracked.returncode:
        pytest.skip("this is no git checkout")
    moved = {
        f"pfflow/shipped/{name}" if name.startswith(("templates/", "examples/")) else name
        for name in tracked.stdout.split()
    }
    assert moved - carried == set()
    assert any("/migrations/versions/" in name for name in moved)
    assert not [
        name for name in carried if name.startswith(("tests/", "docs/", "benchmarks/")) or "__pycache__" in name
    ]


def test_an_installed_wheel_lives_a_day_away_from_the_checkout(wheel: Path, tmp_path: Path) -> None:
    target, elsewhere = tmp_path / "target", tmp_path / "elsewhere"
    elsewhere.mkdir()
    _pip("install", "--no-deps", "--no-index", "--no-compile", "--target", target, wheel)
    # What the interpreter finds its packages in, but for the checkout.
    beside = [
        path for path in sys.path if "site-packages" in path or (path and not Path(path).resolve().is_relative_to(ROOT))
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PFFLOW_", "PYTHON"))}  # noqa: TID251 - a child's environment
    said = subprocess.run(
        [sys.executable, "-S", "-c", LIVE, str(target), os.pathsep.join(beside)],
        cwd=elsewhere,
        env={**environment, "PFFLOW_HOME": str(elsewhere / "home")},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert (said.returncode, said.stderr) == (0, "")
    assert "expressway, version 1, is in force" in said.stdout
    assert "unbroken: " in said.stdout
    assert "启动会邀请：项目启动会" in said.stdout
    assert "\n尊敬的冯志远：\n" in said.stdout  # rendered from the templates in the wheel
    folders = said.stdout.rpartition("FROM\n")[2].split()
    assert folders
    assert all(Path(folder).is_relative_to(target) for folder in folders)
    assert len(list((elsewhere / "home" / "mailbox").glob("*.eml"))) > 10
