"""Which names of RAPIDS and CuPy a source uses, and how it calls them: read from its syntax tree.

Followed are imports (lazy ones too), ``sys.modules``, functions that import and return a module, names
assigned from what is followed, parameters annotated with it, and the module of arrays of a device (``xp``,
``device.xp``). What a call returns is written with brackets: ``cupy.RawModule().get_function``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

ROOTS = ("cudf", "pylibcudf", "rmm", "cupy", "cupyx", "pynvml", "dask_cuda")
BY_CONVENTION = {root: root for root in ROOTS} | {"plc": "pylibcudf", "xp": "xp"}
"""What a name stands for where nothing that can be followed binds it to something else."""

ONLY_CUPYS = ("cuda", "asnumpy", "RawModule", "get_default_memory_pool", "get_default_pinned_memory_pool")
"""What may be asked of ``xp`` though NumPy does not have it."""

Scope = dict[str, str | None]
Importers = dict[str, str]
"""Functions of the package that return a module of these, by name."""


@dataclass(frozen=True)
class Call:
    """Arguments of a call; ``is_open`` where some come from a ``*list`` or ``**dict``."""

    positional: int = 0
    keywords: tuple[str, ...] = ()
    is_open: bool = False


@dataclass(frozen=True)
class Use:
    """A dotted name, where it stands, and its arguments if it is called."""

    place: str
    name: str
    call: Call | None = None

    @property
    def root(self) -> str:
        return self.name.removesuffix("()").split(".")[0]


def uses_of(root: Path) -> list[Use]:
    """Of all sources under a folder."""
    trees = {str(f.relative_to(root.parent)): ast.parse(f.read_text()) for f in sorted(root.rglob("*.py"))}
    importers: Importers = {}
    for tree in trees.values():
        importers |= _importers(tree)
    return list(chain.from_iterable(_uses(tree, file, importers) for file, tree in trees.items()))


def uses_in(source: str) -> list[Use]:
    """Of one source."""
    tree = ast.parse(source)
    return _uses(tree, "source", _importers(tree))


def _uses(tree: ast.Module, file: str, importers: Importers) -> list[Use]:
    reader = _Reader(file, importers)
    reader.visit(tree)
    return reader.found


def _importers(tree: ast.Module) -> Importers:
    """``def import_rmm(): import rmm; return rmm``; CuPy imported so is a module of arrays like another."""
    found: Importers = {}
    for node in tree.body:
        inside = list(ast.walk(node)) if isinstance(node, ast.FunctionDef) else []
        returned = {n.value.id for n in inside if isinstance(n, ast.Return) and isinstance(n.value, ast.Name)}
        modules = [a.name for n in inside if isinstance(n, ast.Import) for a in n.names if a.name in ROOTS]
        if isinstance(node, ast.FunctionDef) and len(returned) == 1 and returned <= set(modules):
            module = returned.pop()
            found[node.name] = "xp" if module == "cupy" else module
    return found


class _Reader(ast.NodeVisitor):
    def __init__(self, file: str, importers: Importers) -> None:
        self.file = file
        self.importers = importers
        self.found: list[Use] = []
        self.scopes: list[Scope] = [{}]

    def dotted(self, node: ast.AST | None) -> str | None:
        """The followed name that an expression is, if it is one."""
        match node:
            case ast.Name(id=name):
                return self.bound(name)
            case ast.Attribute(value=value, attr=attribute):
                name = self.dotted(value)
                if name is None:
                    return "xp" if attribute == "xp" else None
                return f"{'cupy' if name == 'xp' and attribute in ONLY_CUPYS else name}.{attribute}"
            case ast.Call(func=ast.Name(id=name)) if name in self.importers:
                return self.importers[name]
            case ast.Call(func=function):
                name = self.dotted(function)
                return f"{name}()" if name else _module_asked_for(node)
            case ast.Subscript():
                return _module_asked_for(node)
            case ast.Constant(value=str(text)):  # an annotation in quotes
                return self.dotted(_parsed(text))
        return None

    def bound(self, name: str) -> str | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return BY_CONVENTION.get(name)

    def note(self, node: ast.AST, name: str, call: Call | None = None) -> None:
        self.found.append(Use(f"{self.file}:{getattr(node, 'lineno', 0)}", name, call))

    def bind(self, target: ast.AST, value: ast.AST | None) -> None:
        match target, value:
            case (ast.Tuple(elts=names), ast.Tuple(elts=values)) if len(names) == len(values):
                for name, each in zip(names, values, strict=True):
                    self.bind(name, each)
            case ast.Tuple(elts=names), _:
                for name in names:
                    self.bind(name, None)
            case ast.Name(id=name), _:
                self.scopes[-1][name] = self.dotted(value) or BY_CONVENTION.get(name)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.split(".")[0]
            if top in ROOTS:
                self.note(node, alias.name)
                self.scopes[-1][alias.asname or top] = alias.name if alias.asname else top

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or (node.module or "").split(".")[0] not in ROOTS:
            return
        for alias in node.names:
            self.scopes[-1][alias.asname or alias.name] = name = f"{node.module}.{alias.name}"
            self.note(node, name)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.generic_visit(node)
        for target in node.targets:
            self.bind(target, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.generic_visit(node)
        self.bind(node.target, node.value)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.scopes.append({})
        self.generic_visit(node)
        self.scopes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        arguments = node.args
        for part in (*node.decorator_list, node.returns, *arguments.defaults, *arguments.kw_defaults):
            if part is not None:
                self.visit(part)
        self.scopes.append({})
        for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            self.visit_parameter(argument)
        for statement in node.body:
            self.visit(statement)
        self.scopes.pop()

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_parameter(self, argument: ast.arg) -> None:
        """``xp: Any`` is what it is called; ``frame: cudf.DataFrame`` is an instance."""
        kind = self.dotted(argument.annotation)
        if argument.annotation is not None:
            self.visit(argument.annotation)
        self.scopes[-1][argument.arg] = f"{kind}()" if kind else BY_CONVENTION.get(argument.arg)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if name := self.dotted(node):
            self.note(node, name)
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        if name := self.dotted(node.func):
            self.note(node, name, _shape(node))
        self.visit(node.func.value if isinstance(node.func, ast.Attribute) else node.func)
        for argument in (*node.args, *node.keywords):
            self.visit(argument)


def _shape(node: ast.Call) -> Call:
    plain = [a for a in node.args if not isinstance(a, ast.Starred)]
    named = tuple(k.arg for k in node.keywords if k.arg is not None)
    return Call(len(plain), named, (len(plain), len(named)) != (len(node.args), len(node.keywords)))


def _module_asked_for(node: ast.Call | ast.Subscript) -> str | None:
    """``sys.modules["cudf"]``, ``sys.modules.get("cudf")``, ``import_module("cudf")``."""
    match node:
        case ast.Call(func=ast.Attribute(attr="get", value=ast.Attribute(attr="modules"))):
            return _root_named(node.args)
        case ast.Call(func=ast.Name(id="import_module") | ast.Attribute(attr="import_module")):
            return _root_named(node.args)
        case ast.Subscript(value=ast.Attribute(attr="modules"), slice=place):
            return _root_named([place])
    return None


def _root_named(nodes: list[ast.expr]) -> str | None:
    constants: Iterator[ast.AST] = chain.from_iterable(map(ast.walk, nodes))
    texts = [n.value for n in constants if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return next((text for text in texts if text.split(".")[0] in ROOTS), None)


def _parsed(annotation: str) -> ast.expr | None:
    try:
        return ast.parse(annotation, mode="eval").body
    except SyntaxError:  # a text that is no annotation
        return None
