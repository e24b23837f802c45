"""Modules that may import upwards hold imports and nothing else."""

import ast
import tomllib

import pytest


def exempt_modules(repository):
    """The files that the layers contract exempts, from its one list in pyproject.toml."""
    contracts = tomllib.loads((repository / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    layers = next(contract for contract in contracts if contract["id"] == "layers")
    for line in layers["ignore_imports"]:
        pattern = line.split("->")[0].strip().replace(".", "/")
        yield from repository.glob(f"{pattern}.py")
        yield from repository.glob(f"{pattern}/__init__.py")


def is_only_imports(source):
    """Whether a module holds a docstring, imports and ``__all__``, and nothing else."""
    first, *rest = ast.parse(source).body
    has_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return all(map(is_allowed, rest if has_docstring else [first, *rest]))


def is_allowed(statement):
    if isinstance(statement, ast.Assign):
        return [ast.unparse(target) for target in statement.targets] == ["__all__"]
    return isinstance(statement, ast.Import | ast.ImportFrom)


def test_every_exempt_face_holds_only_imports(repository):
    guilty = [str(face) for face in exempt_modules(repository) if not is_only_imports(face.read_text())]
    assert guilty == []


@pytest.mark.parametrize(
    "body", ["x = 1", "def f(): ...", "import os\nos.getcwd()", "if True:\n    import os"]
)
def test_anything_but_an_import_is_noticed(body):
    assert not is_only_imports(f'"""A face."""\n{body}\n')


def test_a_docstring_imports_and_all_are_fine():
    assert is_only_imports('"""A face."""\n\nfrom os import path\n\n__all__ = ["path"]\n')
