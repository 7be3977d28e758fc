"""Ctrl-C before the command runs, while its libraries are imported."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap

import pytest

from secant import starting

LINE = "error: interrupted; nothing was written\n"


def interrupted_before(module: str, program: str, tmp_path) -> subprocess.CompletedProcess[str]:
    """Run `program` as a script called ``secant``; SIGINT comes when `module` is to be imported."""
    script = tmp_path / "secant"
    script.write_text(
        textwrap.dedent(f"""\
            import signal, sys

            class Interrupt:
                def find_spec(self, name, path=None, target=None):
                    if name == {module!r}:
                        signal.raise_signal(signal.SIGINT)

            sys.meta_path.insert(0, Interrupt())
            """)
        + program
    )
    words = [sys.executable, str(script), "train", "none.csv", "--target", "y"]
    return subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)


@pytest.mark.parametrize("module", ["numpy", "secant.run", "typer", "secant.cli.train", "pandas"])
def test_an_import_that_is_interrupted(module, tmp_path):
    done = interrupted_before(module, "from secant.cli import main\nmain()\n", tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", LINE)


def test_through_python_m(tmp_path):
    """As ``python -m secant`` begins: the package first, when the name of the program is -m."""
    begin = "import runpy\nsys.orig_argv = ['python', '-m', 'secant']\nsys.argv[0] = '-m'\n"
    run = "runpy.run_module('secant', run_name='__main__', alter_sys=True)\n"
    done = interrupted_before("numpy", begin + run, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", LINE)


def test_a_program_that_uses_the_library_is_left_alone(tmp_path):
    program = "import os\nsys.argv[0] = 'fit.py'\n"
    caught = "try:\n    import secant\nexcept KeyboardInterrupt:\n    print('mine')\n"
    done = interrupted_before("numpy", program + caught, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "mine\n", "")


def test_a_program_of_the_same_name_has_ctrl_c_for_itself(tmp_path):
    """After the import, whatever a user's script is called."""
    program = "import secant\ntry:\n    signal.raise_signal(signal.SIGINT)\n"
    done = interrupted_before(
        "none", program + "except KeyboardInterrupt:\n    print('mine')\n", tmp_path
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "mine\n", "")


def test_a_handler_that_was_there_stays():
    before = signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # as nohup and shells in the background do
    try:
        starting.end_if_interrupted()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        starting.raise_if_interrupted()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        signal.signal(signal.SIGINT, signal.default_int_handler)
        starting.end_if_interrupted()
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
        starting.raise_if_interrupted()
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_an_interpreter_without_arguments_is_left_alone(monkeypatch):
    """As in programs that Python is embedded in."""
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr(sys, "argv", [])
    starting.look_after_imports()
    monkeypatch.delattr(sys, "argv")
    starting.look_after_imports()
    assert signal.getsignal(signal.SIGINT) is before


def test_only_the_command_is_looked_after():
    assert not starting.is_command(sys.argv[0], sys.orig_argv)
    assert starting.is_command(os.path.join("bin", "secant"), [])
    assert not starting.is_command("fit.py", ["python", "fit.py", "-m", "secant"])
    assert not starting.is_command("-m", ["python", "-m", "secant_tools"])
    assert not starting.is_command("-m", [])
