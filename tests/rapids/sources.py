"""Looks names up in the sources and stubs of packages, which cannot be imported without a driver's libraries.

A name is followed through imports, re-exports, classes and their bases, properties, and what calls return
where that is written down. Where it is not, nothing is known, and nothing is objected to.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import TypeAlias

TYPE_PARAMETERS = re.compile(r"^(\s*(?:def|class) \w+)\[[^\]\n]*\]", re.M)
Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A module, by its dotted name."""

    name: str


@dataclass(frozen=True)
class Class:
    """A class, or an instance of it."""

    module: str
    node: ast.ClassDef
    is_instance: bool = False


@dataclass(frozen=True)
class Function:
    """A function or method with its overloads."""

    module: str
    nodes: tuple[Definition, ...]
    owner: Class | None = None


@dataclass(frozen=True)
class Unknown:
    """It exists; what it is cannot be read."""


Thing: TypeAlias = Module | Class | Function | Unknown


@dataclass
class Sources:
    """The packages in a folder (``.pyi`` before ``.py``)."""

    folder: Path
    trees: dict[str, ast.Module | None] = field(default_factory=dict)
    under_way: set[tuple[str, str]] = field(default_factory=set)

    def look_up(self, name: str) -> Thing | None:
        """What a dotted name is; ``f()`` is what a call of ``f`` returns; None: there is no such name."""
        top, *rest = name.split(".")
        return reduce(self.step, rest, Module(top) if self.tree(top) else None)

    def step(self, thing: Thing | None, part: str) -> Thing | None:
        name = part.rstrip("()")
        thing = self.member(thing, name)
        for _ in range((len(part) - len(name)) // 2):
            thing = self.result(thing)
        return thing

    def tree(self, module: str) -> ast.Module | None:
        if module not in self.trees:
            base = self.folder.joinpath(*module.split("."))
            places = [base.with_suffix(suffix) for suffix in (".pyi", ".py")]
            places += [base / f"__init__{suffix}" for suffix in (".pyi", ".py")]
            found = next((place for place in places if place.is_file()), None)
            self.trees[module] = _parsed(found.read_text()) if found else None
        return self.trees[module]

    def is_package(self, module: str) -> bool:
        return self.folder.joinpath(*module.split(".")).is_dir()

    def member(self, thing: Thing | None, name: str) -> Thing | None:
        match thing:
            case Module(name=module):
                return self.in_module(module, name)
            case Class():
                return self.in_class(thing, name)
            case Unknown():
                return thing
        return None

    def in_module(self, module: str, name: str) -> Thing | None:
        tree, asked = self.tree(module), (module, name)
        if tree is None or asked in self.under_way:  # modules that import each other
            return None
        self.under_way.add(asked)
        found = self.among(module, tree.body, name)
        self.under_way.remove(asked)
        if found is None and self.tree(f"{module}.{name}"):
            return Module(f"{module}.{name}")
        return found

    def in_class(self, owner: Class, name: str) -> Thing | None:
        for cls in self.with_bases(owner):
            match self.among(cls.module, cls.node.body, name):
                case None:
                    continue
                case Function(nodes=nodes, module=module):
                    found = Function(module, nodes, owner)
                    return self.result(found) if _is_property(nodes) and owner.is_instance else found
                case found:
                    return found
        of_enum = owner.is_instance and name in ("name", "value")
        return Unknown() if of_enum or hasattr(type, name) else None

    def with_bases(self, cls: Class) -> list[Class]:
        """The class and those it derives from, as far as they are here, nearest first."""
        bases = [self.expression(cls.module, base) for base in cls.node.bases]
        known = [base for base in bases if isinstance(base, Class)]
        return [cls, *(each for base in known for each in self.with_bases(base))]

    def among(self, module: str, body: list[ast.stmt], name: str) -> Thing | None:
        """What the statements of a module or class last bind a name to."""
        found: Thing | None = None
        for node in _statements(body):
            match node:
                case ast.FunctionDef(name=own) | ast.AsyncFunctionDef(name=own) if own == name:
                    earlier = found.nodes if isinstance(found, Function) else ()
                    found = Function(module, (*earlier, node))
                case ast.ClassDef(name=own) if own == name:
                    found = Class(module, node)
                case ast.Import() | ast.ImportFrom():
                    found = self.imported(module, node, name) or found
                case ast.Assign(targets=targets, value=value) if _names(targets) & {name}:
                    found = self.expression(module, value) or Unknown()
                case ast.AnnAssign(target=ast.Name(id=own)) if own == name:
                    found = Unknown()
                case ast.Delete(targets=targets) if _names(targets) & {name}:
                    found = None
        return found

    def imported(self, module: str, node: ast.Import | ast.ImportFrom, name: str) -> Thing | None:
        if isinstance(node, ast.Import):
            tops = {top: top for a in node.names if not a.asname for top in [a.name.partition(".")[0]]}
            names = tops | {a.asname: a.name for a in node.names if a.asname}
            return self.absolute(names[name]) if name in names else None
        source = self.origin(module, node)
        for alias in node.names:
            if alias.name == "*" and self.tree(source):
                return self.in_module(source, name)
            if (alias.asname or alias.name) == name:
                return self.absolute(f"{source}.{alias.name}", of=module)
        return None

    def origin(self, module: str, node: ast.ImportFrom) -> str:
        """The module that an import names, absolute."""
        if not node.level:
            return node.module or ""
        above = module.split(".")[: None if self.is_package(module) else -1]
        above = above[: len(above) - (node.level - 1)]
        return ".".join([*above, *filter(None, [node.module])])

    def absolute(self, name: str, of: str = "") -> Thing | None:
        """An imported name; of a package that is not here nothing is known."""
        parent, _, last = name.rpartition(".")
        if self.tree(name.partition(".")[0]) is None:
            return Unknown()
        if not parent:
            return Module(name)
        if parent == of:  # ``from . import name`` inside a package
            return Module(name) if self.tree(name) else None
        return (self.in_module(parent, last) if self.tree(parent) else None) or Unknown()

    def expression(self, module: str, node: ast.expr | None) -> Thing | None:
        """What a name or an annotation in a module's source stands for."""
        match node:
            case ast.Name(id=name):
                return self.in_module(module, name)
            case ast.Attribute(value=value, attr=name):
                return self.member(self.expression(module, value), name)
            case ast.Constant(value=str(text)):
                return self.expression(module, ast.parse(text, mode="eval").body)
        return None

    def result(self, thing: Thing | None) -> Thing | None:
        """What a call returns."""
        match thing:
            case None:
                return None
            case Class(module=module, node=node):
                return Class(module, node, is_instance=True)
            case Function(module=module, nodes=(*_, node), owner=owner):
                if isinstance(node.returns, ast.Name) and node.returns.id == "Self" and owner:
                    return self.result(owner)
                found = self.expression(module, node.returns or _made(node.body[-1]))
                return self.result(found) if isinstance(found, Class) else Unknown()
        return Unknown()

    def callables(self, thing: Thing) -> Function | None:
        """The function that takes the arguments of a call; None where it cannot be read."""
        if not isinstance(thing, Class):
            return thing if isinstance(thing, Function) else None
        for method in ("__call__",) if thing.is_instance else ("__init__", "__cinit__", "__new__"):
            found = self.in_class(thing, method)
            if isinstance(found, Function):
                return found
        return None


def _statements(body: list[ast.stmt]) -> list[ast.stmt]:
    """Of a body, and of the conditions and attempts in it."""
    found: list[ast.stmt] = []
    for node in body:
        match node:
            case ast.If():
                found += _statements(node.body) + _statements(node.orelse)
            case ast.Try():
                handlers = [statement for handler in node.handlers for statement in handler.body]
                found += _statements(node.body) + _statements(handlers) + _statements(node.orelse)
            case _:
                found.append(node)
    return found


def _parsed(source: str) -> ast.Module:
    """Stubs may have type parameters, ``def f[T: (A, B)](``, which Python 3.11 does not know."""
    return ast.parse(TYPE_PARAMETERS.sub(r"\1", source))


def _made(last: ast.stmt) -> ast.expr | None:
    """``X`` of ``return X(...)``."""
    match last:
        case ast.Return(value=ast.Call(func=made)):
            return made
    return None


def _names(targets: list[ast.expr]) -> set[str]:
    flat = [each for t in targets for each in (t.elts if isinstance(t, ast.Tuple) else [t])]
    return {node.id for node in flat if isinstance(node, ast.Name)}


def _is_property(nodes: tuple[Definition, ...]) -> bool:
    inside = [n for node in nodes for decorator in node.decorator_list for n in ast.walk(decorator)]
    return any(isinstance(n, ast.Name) and n.id in ("property", "cached_property") for n in inside)
