"""`secant methods`, `--version`, and a command line that starts fast and without extras."""

from __future__ import annotations

import subprocess
import sys

import secant as library
from secant.methods import REGISTRY


def test_every_method_is_listed_with_its_source(secant):
    done = secant("methods")
    assert (done.code, done.err) == (0, "")
    for entry in REGISTRY.values():
        assert f"\n{entry.name} " in f"\n{done.out}"
        assert entry.summary in done.out
        assert entry.source in done.out


def test_no_arguments_show_the_help(secant):
    done = secant()
    assert (done.code, done.err) == (0, "")
    assert "predict" in done.out


def test_version(secant):
    done = secant("--version")
    assert (done.code, done.out) == (0, f"secant {library.__version__}\n")


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_the_command_line_imports_no_heavy_packages():
    done = run_python(
        "import sys, secant.cli as cli\n"
        "assert cli.run(['methods']) == 0 and cli.run(['train', '--help']) == 0\n"
        "heavy = {'torch', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    assert done.returncode == 0, done.stderr


def test_a_missing_extra_is_named():
    done = run_python(
        "import sys; sys.modules['torch'] = None\n"
        "from secant.cli import run\n"
        "sys.exit(run(['train', 'data.csv', '--target', 'y']))"
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: secant train needs torch; install it with: pip install 'secant[train]'\n"
    )


def test_without_typer_the_command_says_what_to_install():
    done = run_python("import sys; sys.modules['typer'] = None; import secant.cli")
    assert done.returncode == 2
    assert done.stderr == (
        "error: the secant command needs typer; install it with: pip install 'secant[train]'\n"
    )


def test_the_methods_for_tables_alone_are_those_of_the_strategy(secant):
    from secant.cli.methods import _TRAINING
    from secant.learn.minibatch import BATCH_METHODS

    assert set(_TRAINING) == {"auto", *BATCH_METHODS}
    out = secant("methods").out
    assert all(f"\n{name} " in out for name in _TRAINING)
