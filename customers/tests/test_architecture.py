"""The rules of the house: who imports whom, and one name for one thing."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest
from django.apps import apps
from django.db.models import UniqueConstraint

import customers
from customers.models import Resource
from customers.resources.registry import registry

ROOT = Path(customers.__file__).parent
FLOORS = {
    "db": 1,
    "models": 2,
    "services": 3,
    "resources": 4,
    "jobs": 5,
    "api": 6,
    "password_pages": 6,
    "admin": 6,
    "management": 6,
}
MODULES = sorted(path.relative_to(ROOT) for room in FLOORS for path in (ROOT / room).rglob("*.py"))


def imports(path):
    """The modules of this application that the file at `path` imports."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} imports relatively"
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.startswith("customers."))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_go_down_and_doors_do_not_import_each_other(path):
    room = path.parts[0]
    for name in imports(path):
        other = name.split(".")[1]
        assert FLOORS.get(other, 0) < FLOORS[room] or other == room, f"{path} imports {name}"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.parts[0] == "resources" and p.stem in registry.types], ids=str
)
def test_a_resource_file_imports_no_other_resource_and_only_declares(path):
    others = {f"customers.resources.{name}" for name in registry.types}
    assert not others & set(imports(path))
    tree = ast.parse((ROOT / path).read_text())
    logic = (ast.For, ast.While, ast.Try, ast.With, ast.Await, ast.Lambda)
    assert not [node for node in ast.walk(tree) if isinstance(node, logic)]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert all(node.end_lineno - node.lineno < 6 for node in functions)


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.parts[0] not in ("db", "models")], ids=str
)
def test_models_are_imported_through_their_door(path):
    rooms = {path.stem for path in (ROOT / "models").glob("*.py")}
    assert not rooms & {
        name.split(".")[2]
        for name in imports(path)
        if name.count(".") > 1 and name.startswith("customers.models.")
    }


@pytest.mark.parametrize("name", registry.types)
def test_a_type_has_one_name_everywhere(name):
    resource = registry.types[name]
    model = resource.serializer_class.Meta.model
    assert resource.name == name
    assert resource.__module__ == f"customers.resources.{name}"
    assert model.__module__ == f"customers.models.{name}"
    if issubclass(model, Resource):  # and not made of settings
        assert model._meta.db_table == name
        assert (ROOT / "admin" / f"{name}.py").exists()


@pytest.mark.parametrize("model", list(apps.get_app_config("customers").get_models()), ids=str)
def test_modes_are_apart_in_every_unique_constraint(model):
    if issubclass(model, Resource):
        assert model._meta.get_field("mode")
        for constraint in model._meta.constraints:
            if isinstance(constraint, UniqueConstraint):
                assert "mode" in constraint.fields


OPEN_ROOMS = ("api", "resources")  # in which nobody reaches into what is another's
OWN = ("self", "cls")
DOCUMENTED = ("_meta", "_replace")  # Django's, and that of named tuples


def private_names(path):
    """The private names of others that the file at `path` uses or imports."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from (alias.name for alias in node.names if alias.name.startswith("_"))
        elif isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            is_own = isinstance(node.value, ast.Name) and node.value.id in OWN
            is_dunder = node.attr.endswith("__") and node.attr != "__dict__"
            if not (is_own or is_dunder or node.attr in DOCUMENTED):
                yield ast.unparse(node)


@pytest.mark.parametrize("path", [p for p in MODULES if p.parts[0] in OPEN_ROOMS], ids=str)
def test_nobody_uses_the_private_names_of_another(path):
    assert list(private_names(path)) == []


def test_nothing_hangs_on_signals():
    hung = re.compile(r"\.signals import|import signals|import receiver")
    assert [path for path in MODULES if hung.search((ROOT / path).read_text())] == []


OPEN_ROOMS = [path for path in MODULES if path.parts[0] in ("db", "services")] + [
    Path("..", path.relative_to(ROOT.parent))
    for path in sorted((ROOT.parent / "project").glob("*.py"))
]
OWN = {"self", "cls"}  # whose private attributes are one's own; a model's `_meta` is public


def private_attributes(tree):
    """The private attributes, such as `x._y`, that the code in `tree` reads or sets of others."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Attribute) and re.match("_(?!_)", node.attr)):
            continue
        is_own = isinstance(node.value, ast.Name) and node.value.id in OWN
        if not (is_own or node.attr == "_meta" or ast.unparse(node.value) == "super()"):
            yield ast.unparse(node)


def test_private_attributes_are_told_from_public_ones():
    code = "a._b; self._c; cls._d; super()._e(); f._meta; g.__dict__; h().i._j = 1"
    assert list(private_attributes(ast.parse(code))) == ["a._b", "h().i._j"]


@pytest.mark.parametrize("path", OPEN_ROOMS, ids=str)
def test_no_private_attribute_is_used_of_anybody_else(path):
    assert list(private_attributes(ast.parse((ROOT / path).read_text()))) == []


NAMED = ("update_fields=", "force_insert=True", "commit=False")  # which columns; new; not yet


def saves(path):
    """The calls in the file at `path` that save a row: those that are given no file."""
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Call):
            is_method = isinstance(node.func, ast.Attribute)
            name = node.func.attr if is_method else getattr(node.func, "id", "")
            if name in ("save", "asave", "fast_save") and not (is_method and node.args):
                yield ast.unparse(node)


def test_rows_are_saved_by_named_columns_or_as_new_ones():
    wrong = {
        f"{path}: {call}"
        for path in MODULES
        if path.parts[0] not in ("db", "models")
        for call in saves(path)
        if not any(named in call for named in NAMED)
    }
    assert wrong == set()


def annotated(tree):
    """The functions of `tree` that others may call, with whether all their types are said."""
    todo = [(tree, False)]
    while todo:
        node, is_method = todo.pop()
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                if not child.name.startswith("_"):
                    todo.append((child, True))
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                if not child.name.startswith("_") or child.name.startswith("__"):
                    yield child.name, is_annotated(child, is_method)
            else:
                todo.append((child, is_method))


def is_annotated(function, is_method):
    given = function.args
    names = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    if is_method and "staticmethod" not in map(ast.unparse, function.decorator_list):
        names = [name for name in names if name not in (*given.posonlyargs, *given.args)[:1]]
    names += filter(None, [given.vararg, given.kwarg])
    says_return = function.returns is not None or (function.name == "__init__" and names)
    return bool(says_return) and all(name.annotation for name in names)


PUBLIC = [*(ROOT / path for path in MODULES)]
for room in ("project", "deploy"):
    PUBLIC += sorted((ROOT.parent / room).rglob("*.py"))


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: str(path.relative_to(ROOT.parent)))
def test_every_public_function_says_its_types(path):
    found = annotated(ast.parse(path.read_text()))
    assert [name for name, is_complete in found if not is_complete] == []


NAMED_BY_OTHERS = {
    "Command",  # Django looks for it in each module of management/commands
    "main",  # Python's custom, for what `python -m` runs
}


def public_names(tree):
    """The functions and classes of the module `tree` that others may import."""
    todo = [*tree.body]
    for node in todo:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if not node.name.startswith("_"):
                yield node.name
        elif isinstance(node, ast.If | ast.Try | ast.ExceptHandler):
            todo += ast.iter_child_nodes(node)


def homes_of_names(modules):
    """The names of `modules`, texts by path, that stand in more than one, with their paths."""
    homes = defaultdict(set)
    for path, text in modules.items():
        for name in public_names(ast.parse(text)):
            homes[name].add(path)
    return {name: paths for name, paths in homes.items() if len(paths) > 1}


def test_names_that_stand_twice_are_told_from_others():
    one = "def a(): ...\ndef _b(): ...\nclass C:\n def d(self): ...\nif X:\n def e(): ..."
    other = "class a: ...\ndef _b(): ...\ndef d(): ...\ndef f(): ...\ndef f(): ...\nfrom x import C"
    third = "try:\n import x\nexcept ImportError:\n async def e(): ..."
    found = homes_of_names({"one": one, "other": other, "third": third})
    assert found == {"a": {"one", "other"}, "e": {"one", "third"}}


def test_a_public_name_stands_once():
    paths = [*ROOT.rglob("*.py"), *(ROOT.parent / "project").rglob("*.py")]
    modules = {
        str(path.relative_to(ROOT.parent)): path.read_text()
        for path in paths
        if not {"tests", "migrations"} & set(path.relative_to(ROOT.parent).parts)
    }
    twice = homes_of_names(modules)
    assert {name: homes for name, homes in twice.items() if name not in NAMED_BY_OTHERS} == {}
