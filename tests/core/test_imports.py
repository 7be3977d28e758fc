"""Imports point downward, and `import secant` is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import secant

ROOT = Path(secant.__file__).parent
LEAVES = ("learn", "torch", "cli", "report")
CORE = sorted(
    path
    for path in ROOT.rglob("*.py")
    if path.relative_to(ROOT).parts[0].split(".")[0] not in LEAVES
)


def loaded_by(statement):
    """The modules in memory after ``statement`` in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_secant_is_light():
    modules = loaded_by("import secant")
    heavy = ("torch", "scipy.optimize", "scipy.linalg", "matplotlib", "pandas", "sklearn", "optree")
    assert not [name for name in heavy if name in modules]
    assert not [name for name in modules if name.startswith(tuple(f"secant.{x}" for x in LEAVES))]


def test_minimize_on_numpy_imports_no_torch():
    modules = loaded_by("import secant; secant.minimize(lambda x: (x**2).sum(), [1.0])")
    assert "torch" not in modules
    assert "scipy.optimize" in modules  # the result is SciPy's


@pytest.mark.parametrize(
    ("part", "package", "extra"),
    [("torch", "torch", "torch"), ("learn", "torch", "train"), ("learn", "pandas", "train")],
)
def test_a_missing_package_is_named_with_what_installs_it(part, package, extra):
    code = f"import sys; sys.modules[{package!r}] = None; import secant.{part}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.splitlines()[-1] == (
        f"ModuleNotFoundError: secant.{part} needs {package}; "
        f"install it with: pip install 'secant[{extra}]'"
    )


def top_level_imports(path):
    """What a file imports when it is imported, but for the type checker."""
    pending = list(ast.parse(path.read_text()).body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, (ast.Try, ast.With)) or (
            isinstance(node, ast.If) and ast.unparse(node.test) != "TYPE_CHECKING"
        ):
            pending += node.body + getattr(node, "orelse", [])
        elif isinstance(node, ast.ClassDef):
            pending += node.body


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_core_imports_no_leaf(path):
    if path.name == "__main__.py":  # the command line's door
        return
    for name in top_level_imports(path):
        assert name.split(".")[0] not in (
            "torch",
            "pandas",
            "sklearn",
            "matplotlib",
            "optree",
            "rich",
        )
        assert not name.startswith(tuple(f"secant.{leaf}" for leaf in LEAVES)), name


@pytest.mark.parametrize("family", ["linesearch", "curvature", "directions"])
def test_searches_and_models_know_no_algorithm(family):
    """Nothing below `methods` imports it, nor a front door."""
    for path in (ROOT / family).glob("*.py"):
        for name in top_level_imports(path):
            doors = ("methods", "minimize", "run", "persistence", "result", "scipy_interface")
            assert not name.startswith(tuple(f"secant.{door}" for door in doors)), (path, name)
