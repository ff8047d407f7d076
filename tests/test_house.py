"""The house of CONTRIBUTING.md, as assertions: where things are, who knows whom, how large."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import import_module, metadata
from importlib.resources import files
from pathlib import Path

import pytest

import seginst_core

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("seginst_core", "seginst_gui")
MAX_LINES = 400
MAX_MODULES = 12
MAX_MODELS_BYTES = 50_000_000
TOP_LEVEL = {
    ".ci",
    ".gitignore",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "benchmarks",
    "docs",
    "pyproject.toml",
    "resources",
    "seginst_core",
    "seginst_gui",
    "tests",
}


def tracked() -> list[Path]:
    """The files of the project, relative to its root: what git tracks, or all if it is no clone."""
    command = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout.decode()
        names = [Path(name) for name in listed.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        made = {"build", "dist", "runs", "__pycache__", ".venv", ".seginst"}
        names = [
            path.relative_to(ROOT)
            for path in ROOT.rglob("*")
            if not any(
                part in made or part.endswith((".egg-info", "_cache"))
                for part in path.relative_to(ROOT).parts
            )
        ]
    return [name for name in names if (ROOT / name).is_file()]


FILES = tracked()
MODULES = [path for path in FILES if path.suffix == ".py" and path.parts[0] in PACKAGES]


def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def public(path: Path, kind: type[ast.FunctionDef] | type[ast.ClassDef]) -> Iterator[ast.stmt]:
    for node in tree(path).body:
        if isinstance(node, kind) and not node.name.startswith("_"):
            yield node


def in_folder(folder: str, *besides: str) -> list[Path]:
    """The modules right in ``folder``, without ``__init__`` and those in ``besides``."""
    return [
        path
        for path in MODULES
        if path.parent == Path(folder) and path.stem not in ("__init__", *besides)
    ]


def run_python(code: str) -> str:
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


# The shape of the tree.


def test_the_top_level_holds_what_the_house_names() -> None:
    assert {path.parts[0] for path in FILES} == TOP_LEVEL


def test_files_stay_short() -> None:
    code = [path for path in FILES if path.suffix == ".py"]
    sizes = {p: len((ROOT / p).read_text(encoding="utf-8").splitlines()) for p in code}
    assert {path: n for path, n in sizes.items() if n > MAX_LINES} == {}


def test_folders_stay_small() -> None:
    sizes = {path.parent: len(in_folder(str(path.parent))) for path in MODULES}
    assert {folder: n for folder, n in sizes.items() if n > MAX_MODULES} == {}


def test_the_house_names_every_part() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    house = text.partition("## The house")[2].split("```")[1]
    parts = {path.parts[1] for path in MODULES} - {"__init__.py"}
    assert parts <= set(re.findall(r"[a-z_]+\.py|[a-z_]+(?=/)", house))


def test_every_part_of_the_core_has_its_layer() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    named = {name.strip() for layer in layers for name in layer.split("|")}
    parts = {
        f"seginst_core.{path.parts[1].removesuffix('.py')}"
        for path in MODULES
        if path.parts[0] == "seginst_core" and path.parts[1] != "__init__.py"
    }
    assert named == parts | {"seginst_gui"}


def test_no_file_is_a_drawer_for_everything() -> None:
    drawers = {"utils.py", "util.py", "helpers.py", "misc.py", "common.py"}
    assert not drawers & {path.name for path in FILES}


def test_no_names_that_say_nothing() -> None:
    """No ``Any``, no managers, and keyword arguments have names."""
    found = []
    for path in MODULES:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Name | ast.alias):
                name = node.id if isinstance(node, ast.Name) else node.name
                if name == "Any" or "manager" in name.lower().replace("contextmanager", ""):
                    found.append(f"{path}:{node.lineno} {name}")
            elif isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                if "manager" in node.name.lower():
                    found.append(f"{path}:{node.lineno} {node.name}")
                kwarg = None if isinstance(node, ast.ClassDef) else node.args.kwarg
                # A decorator that keeps another function's signature has to pass all of it on.
                if kwarg is not None and ast.unparse(kwarg.annotation or kwarg) != "P.kwargs":
                    found.append(f"{path}:{node.lineno} **{kwarg.arg}")
    assert not found


def test_no_paths_of_anyones_machine() -> None:
    machine = re.compile(r"(?<![\w.])/(work|tmp|root|farm|home|Users|mnt)/\w")
    found = []
    for path in FILES:
        try:
            text = (ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        lines = text.splitlines()
        found += [f"{path}:{n}: {line}" for n, line in enumerate(lines, 1) if machine.search(line)]
    assert not found


def test_pictures_are_documentation_or_resources() -> None:
    pictures = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp"}
    astray = [
        str(path)
        for path in FILES
        if path.suffix.lower() in pictures and path.parts[0] not in ("docs", "resources")
    ]
    assert not astray


# The literal tables: a new tool, engine, format or job is one file plus one line.


def test_every_tool_is_in_the_table() -> None:
    from seginst_gui.tools import TOOLS

    written = {
        f"{'.'.join(path.with_suffix('').parts)}.{node.name}"
        for path in (p for p in MODULES if "tools" in p.parts and p.stem != "base")
        for node in public(path, ast.ClassDef)
        if node.name.endswith("Tool")
    }
    listed = {f"{entry.make.__module__}.{entry.make.__qualname__}" for entry in TOOLS.values()}
    assert listed == written
    assert written


def test_every_engine_is_in_the_table() -> None:
    from seginst_core.engines import ENGINES
    from seginst_core.types import ENGINE_NAMES

    written = {
        f"seginst_core.engines.{path.stem}"
        for path in in_folder("seginst_core/engines")
        if path.stem.endswith("_engine")
    }
    assert set(ENGINES.values()) == written
    assert set(ENGINES) <= set(ENGINE_NAMES)


def test_every_format_is_in_the_table() -> None:
    from seginst_core.formats import FORMATS

    written = {
        f"seginst_core.formats.{path.stem}"
        for path in in_folder("seginst_core/formats")
        if {"read", "write"} <= {node.name for node in public(path, ast.FunctionDef)}
    }
    folders = (ROOT / "seginst_core/formats").glob("*/__init__.py")
    written |= {f"seginst_core.formats.{path.parent.name}" for path in folders}
    assert {entry.read.__module__ for entry in FORMATS.values()} == written
    assert all(entry.write.__module__.startswith(tuple(written)) for entry in FORMATS.values())


def test_every_job_is_in_the_table() -> None:
    from seginst_core.jobs import JOBS

    written = {
        f"{'.'.join(path.with_suffix('').parts)}.{node.name}"
        for folder in ("jobs", "jobs/learning", "jobs/review")
        for path in in_folder(f"seginst_core/{folder}")
        for node in public(path, ast.FunctionDef)
        if [argument.arg for argument in node.args.args] == ["params", "reporter"]
    }
    assert {f"{job.__module__}.{job.__name__}" for job in JOBS.values()} == written
    assert all(name == job.__name__ for name, job in JOBS.items())


# What is imported when.


def test_the_window_opens_without_its_heavy_parts() -> None:
    code = "import sys; from seginst_gui.app import build_window; window = build_window(); "
    loaded = run_python(code + "print('\\n'.join(sys.modules))").split()
    assert "PySide6.QtWidgets" in loaded
    heavy = {"torch", "torchvision", "detectron2", "pyqtgraph", "faster_coco_eval", "triton"}
    assert heavy.isdisjoint(loaded)


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["models", "list"]])
def test_the_command_line_answers_without_torch(words: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['seginst', *{words!r}]\n"
        "from seginst_core.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print('torch' in sys.modules, 'PySide6' in sys.modules)"
    )
    assert run_python(code).splitlines()[-1] == "False False"


# The package.


def test_the_tests_meet_the_installed_package() -> None:
    """Run them with ``pytest``: ``python -m pytest`` would put the checkout before the package."""
    distribution = metadata.distribution("seginst")
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        installed = ROOT / "seginst_core"
    else:
        installed = Path(str(distribution.locate_file("seginst_core"))).resolve()
    assert Path(seginst_core.__file__).resolve().parent == installed


def test_the_package_holds_every_resource() -> None:
    there = files("resources")
    missing = [
        str(path)
        for path in FILES
        if path.parts[0] == "resources" and not there.joinpath(*path.parts[1:]).is_file()
    ]
    assert not missing


def test_the_package_holds_every_module() -> None:
    home = Path(seginst_core.__file__).resolve().parents[1]
    assert not [str(path) for path in MODULES if not (home / path).is_file()]


def test_the_version_is_written_once() -> None:
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert metadata.version("seginst") == seginst_core.__version__


def test_the_entry_points_can_be_called() -> None:
    points = metadata.distribution("seginst").entry_points.select(group="console_scripts")
    assert {point.name for point in points} == {"seginst", "seginst-gui"}
    for point in points:
        module, _, name = point.value.partition(":")
        assert callable(getattr(import_module(module), name))


# The starter models.


def starter_folders() -> list[Path]:
    models = ROOT / "resources" / "models"
    return sorted(path.parent for path in models.glob("*/model.toml"))


def test_the_starter_models_are_small() -> None:
    size = sum((ROOT / path).stat().st_size for path in FILES if path.parts[0] == "resources")
    assert size <= MAX_MODELS_BYTES


def test_there_is_a_starter_model_of_each_pipeline() -> None:
    from seginst_core.models.card import read_card
    from seginst_core.types import PIPELINES

    assert {read_card(folder).pipeline for folder in starter_folders()} == set(PIPELINES)


@pytest.mark.parametrize("folder", starter_folders(), ids=lambda folder: folder.name)
def test_a_starter_model_says_where_it_comes_from(folder: Path) -> None:
    from seginst_core.models.card import file_digest, read_card

    card = read_card(folder)
    assert card.description.strip()
    assert str(card.training.get("command", "")).startswith("seginst train ")
    assert card.training.get("data")
    assert card.scores
    assert {name: file_digest(folder / name) for name in card.files} == card.files


# What the README promises.


def blocks(path: str) -> list[str]:
    """The shell blocks of a Markdown file, each as one string."""
    text = (ROOT / path).read_text(encoding="utf-8")
    return [block.strip() for block in re.findall(r"```(?:sh|bash)\n(.*?)```", text, re.DOTALL)]


def test_the_readme_starts_the_window_with_one_command() -> None:
    assert blocks("README.md")[0] == (
        "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/seginst-gui --demo"
    )


def test_the_checks_run_what_the_readme_says() -> None:
    command = blocks("README.md")[1]
    assert command == (
        'python3 -m venv .venv && .venv/bin/pip install ".[test]" && .venv/bin/pytest'
    )
    lines = [line.strip() for line in (ROOT / ".ci" / "run").read_text().splitlines()]
    assert command.rpartition("/")[2] in lines
    assert any("pip install" in line and '".[dev]"' in line for line in lines)
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "seginst[test]" in settings["project"]["optional-dependencies"]["dev"]


def test_the_readme_shows_only_commands_and_options_there_are() -> None:
    import typer.main

    from seginst_core.cli.app import app

    group = typer.main.get_command(app)
    shown = [
        line.split()
        for block in blocks("README.md")
        for line in block.replace("\\\n", " ").splitlines()
        if line.startswith("seginst ")
    ]
    assert {words[1] for words in shown} >= {"sample", "train", "predict", "evaluate", "compare"}
    for words in shown:
        command = group
        rest = words[1:]
        while rest and rest[0] in getattr(command, "commands", {}):
            command = command.commands[rest.pop(0)]
        assert command is not group, words
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options | {"--help"}, words


def test_the_readme_names_only_keys_there_are() -> None:
    from seginst_gui.actions import ACTIONS, N_CLASS_KEYS
    from seginst_gui.tools import TOOLS

    bound = {keys for entry in ACTIONS.values() for keys in entry.shortcuts}
    bound |= {entry.shortcut for entry in TOOLS.values()}
    bound |= {"Esc", f"1 to {N_CLASS_KEYS}"}
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    _, _, table = text.partition("| --- | --- | --- | --- |\n")
    rows = [line.strip("| ").split(" | ") for line in table.split("\n\n")[0].splitlines()]
    assert len(rows) > 5
    named = {keys for row in rows for cell in (row[0], row[2]) for keys in cell.split(", ")}
    assert named <= bound


def test_the_links_of_the_documents_lead_somewhere() -> None:
    broken = []
    for path in FILES:
        if path.suffix != ".md":
            continue
        text = (ROOT / path).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
            if "://" not in target and not (ROOT / path.parent / target).exists():
                broken.append(f"{path}: {target}")
    assert not broken
