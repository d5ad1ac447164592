"""The house itself: names, pins, and what may not be imported where."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())


def pins() -> dict[str, str]:
    lines = [line for line in (PROJECT / "constraints.txt").read_text().splitlines() if line and line[0] != "#"]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in lines)}


def declared() -> list[Requirement]:
    project = PYPROJECT["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    return [Requirement(line) for line in (*project["dependencies"], *extras)]


def installed_closure() -> Iterator[str]:
    """The names of all packages that the declared ones need on this machine."""
    waiting = declared()
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        key = (canonicalize_name(requirement.name), frozenset(requirement.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            needed = requires(requirement.name) or []
        except PackageNotFoundError:
            continue  # an extra that is not installed here
        yield key[0]
        for line in needed:
            other = Requirement(line)
            if other.marker is None or any(
                other.marker.evaluate({"extra": extra}) for extra in ("", *requirement.extras)
            ):
                waiting.append(other)


def imports_or_code(file: Path) -> bool:
    """Whether there is more in it than a docstring."""
    body = ast.parse(file.read_text()).body
    return any(not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)) for node in body)


@pytest.mark.parametrize("name", ["adapters", "bots", "core", "migrations"])
def test_a_package_name_means_this_repository_alone(name: str) -> None:
    package = importlib.import_module(name)

    assert list(package.__path__) == [str(PROJECT / name)]


#: What PyPI's torch brings on Linux, in the versions that it asks for; the build for CPUs brings none of it.
OF_CUDA = ("cuda-", "nvidia-", "triton")


def test_no_module_is_named_after_a_platforms_sdk() -> None:
    stems = {file.stem for file in (PROJECT / "bots").rglob("*.py")}

    assert not stems & {"discord", "slack_bolt", "slack_sdk", "telegram"}


def test_torch_stays_at_its_version() -> None:
    assert pins()["torch"] == "2.13.0"


def test_every_package_that_is_installed_is_pinned() -> None:
    unpinned = set(installed_closure()) - set(pins())

    assert sorted(name for name in unpinned if not name.startswith(OF_CUDA)) == []


def test_every_pin_is_within_its_range() -> None:
    pinned = pins()

    wrong = [str(line) for line in declared() if not line.specifier.contains(pinned[canonicalize_name(line.name)])]

    assert wrong == []


def test_every_folder_of_code_is_a_package_that_exports_nothing() -> None:
    folders = {
        file.parent for name in ("adapters", "bots", "core", "migrations") for file in (PROJECT / name).rglob("*.py")
    }

    assert [str(folder) for folder in folders if not (folder / "__init__.py").is_file()] == []
    assert [str(folder) for folder in folders if imports_or_code(folder / "__init__.py")] == []


def test_the_command_line_starts_without_the_heavy_libraries() -> None:
    heavy = ["torch", "transformers", "sqlalchemy", "alembic", "huggingface_hub", "prompt_toolkit", "numpy"]
    script = f"import sys, bots.__main__; print([name for name in {heavy} if name in sys.modules])"

    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert told.stdout == "[]\n"


def house_of_the_readme() -> set[str]:
    """The paths in the README's picture of the house."""
    readme = (PROJECT / "README.md").read_text()
    picture = readme.split("## The house")[1].split("```")[1]
    paths, folder = set(), ""
    for line in picture.strip().splitlines():
        names = re.findall(r"[\w/]+(?:\.py|/)(?=\s)", line[:27])
        folder = names[0] if not line.startswith(" ") else folder
        paths |= {folder + name for name in names if line.startswith(" ")} | {folder}
    return paths


def test_the_readmes_house_is_the_house() -> None:
    shown = house_of_the_readme()
    files = {f"{name}/{file.name}" for name in ("bots", "core") for file in (PROJECT / name).glob("[!_]*.py")}

    assert sorted(path for path in shown if not (PROJECT / path).exists()) == []
    assert sorted(files - shown) == []
