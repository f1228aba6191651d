"""The one file is made from its parts, holds nothing else, and stands by the same vectors as the portal's own merge."""

import ast
import dataclasses
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings

from client import build, commands
from tests.client.conftest import BUILT
from tests.core.test_awsconfig_merging import VECTORS, in_bytes


@pytest.fixture(scope="module")
def one_file() -> ModuleType:
    spec = importlib.util.spec_from_file_location("portal_config", BUILT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["portal_config"] = module
    spec.loader.exec_module(module)
    return module


def test_the_file_in_the_checkout_is_what_its_parts_make() -> None:
    assert BUILT.read_text(encoding="utf-8") == build.built(), "make client"


def test_it_needs_nothing_but_python() -> None:
    tree = ast.parse(BUILT.read_text(encoding="utf-8"))
    imported = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    imported |= {(node.module or "").split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names


def test_an_older_python_reads_as_far_as_the_reason() -> None:
    ast.parse(BUILT.read_text(encoding="utf-8"), feature_version=(3, 9))


def test_all_versions_agree() -> None:
    project = (Path(settings.BASE_DIR) / "client" / "pyproject.toml").read_text()
    assert f'version = "{settings.PRODUCT_VERSION}"' in project
    assert commands.VERSION == settings.PRODUCT_VERSION


def test_a_name_that_two_parts_define_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = {"client/trouble.py": set[str](), "./client/trouble.py": set[str]()}
    monkeypatch.setattr(build, "_PARTS", twice)
    with pytest.raises(SystemExit, match="is defined in"):
        build.built()


@pytest.mark.parametrize("file", VECTORS, ids=lambda file: file.stem)
def test_the_vectors_of_the_merge_hold_in_the_one_file(one_file: Any, file: Path) -> None:
    vector = json.loads(file.read_text())
    choices = {header: _choice(one_file, answer) for header, answer in vector["choices"].items()}
    merged = one_file.merge(in_bytes(vector, "existing"), vector["ours"], choices)
    told = json.loads(json.dumps({name: [dataclasses.asdict(one) for one in getattr(merged, name)] for name in _LISTS}))
    assert told == {name: vector.get(name, []) for name in _LISTS}
    if "problems" in vector or "conflicts" in vector:
        assert merged.content is None
    else:
        assert merged.content == in_bytes(vector, "expected")


_LISTS = ("problems", "conflicts", "notices")


def _choice(one_file: Any, answer: str | dict[str, str]) -> Any:
    if isinstance(answer, str):
        return one_file.Choice(one_file.Answer(answer))
    return one_file.Choice(one_file.Answer.RENAME, answer["rename"])
