"""Functions in a user's own Python file, named as ``model.py:fun``."""

from __future__ import annotations

import importlib.util
import sys
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any


class UserFileError(Exception):
    """The file or a name in it cannot be used; the message is one sentence that says why."""


def load_file(path: Path) -> ModuleType:
    """Run the file and return it as a module; its own folder comes first on the import path.

    Raises
    ------
    UserFileError
        If it is missing, no Python file, or raises while it runs.
    """
    if not path.is_file():
        raise UserFileError(f"there is no file {path}")
    name = f"user_file_{path.stem}"  # not the stem alone, which may be that of another module
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UserFileError(f"{path} is no Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.resolve().parent))
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UserFileError(f"{path} cannot be run: {type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(str(path.resolve().parent))
    return module


def named(module: ModuleType, path: Path, name: str) -> Any:
    """What is called ``name`` in the file.

    Raises
    ------
    UserFileError
        If nothing is; the nearest name is suggested.
    """
    if hasattr(module, name):
        return getattr(module, name)
    near = get_close_matches(name, [n for n in vars(module) if not n.startswith("_")], n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise UserFileError(f"{path} has no {name!r}{hint}")


def split(target: str) -> tuple[Path, str]:
    """``model.py:fun`` as the file and the name.

    Raises
    ------
    UserFileError
        If there is no colon with a name behind it.
    """
    file, colon, name = target.rpartition(":")
    if not (colon and file and name.isidentifier()):
        raise UserFileError(f"{target!r} must be a file and a function, such as model.py:fun")
    return Path(file), name
