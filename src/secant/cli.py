"""The command line: ``secant train``, ``secant predict``, ``secant check``, ``secant methods``.

Importing this module is quick; each command imports what it needs. Whatever the user can put right
ends a command with one line ``error: ...`` on standard error and exit code 2.
"""

from __future__ import annotations

import io
import os
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, cast

try:
    import typer
except ModuleNotFoundError as missing:
    print(
        f"error: the secant command needs {missing.name}; "
        "install it with: pip install 'secant[train]'",
        file=sys.stderr,
    )
    raise SystemExit(2) from None

if TYPE_CHECKING:
    from secant.learn import Settings, Task, Trained

__all__ = ["app", "main", "run"]

app = typer.Typer(
    help="Train networks with quasi-Newton and second-order methods.",
    add_completion=False,
    pretty_exceptions_enable=False,
)

# Every wrong use of options and arguments; typer does not export the class by its own name.
_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])

_HISTORY = "history.csv"
_REPORT = "report.html"


def main() -> None:
    """Entry point of the ``secant`` command."""
    for stream in (sys.stdout, sys.stderr):  # a name the terminal cannot show is no reason to fail
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    command = typer.main.get_command(app)
    try:
        words = list(arguments) or ["--help"]
        code = command.main(words, prog_name="secant", standalone_mode=False)
    except _UsageError as error:
        _print_error(error.format_message())
        return 2
    except (typer.Abort, KeyboardInterrupt):
        _print_error("interrupted; nothing was written")
        return 130
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return int(code or 0)


def _print_error(sentence: str) -> None:
    print(f"error: {sentence}", file=sys.stderr)


def _fail(sentence: str) -> NoReturn:
    _print_error(sentence)
    raise typer.Exit(2)


@contextmanager
def _learning(command: str) -> Iterator[None]:
    """Turn missing packages and bad input inside a command into its one sentence."""
    try:
        from secant.learn.errors import InputError
    except ModuleNotFoundError as missing:
        if (missing.name or "").startswith("secant"):
            raise
        _fail(
            f"secant {command} needs {missing.name}; install it with: pip install 'secant[train]'"
        )
    try:
        yield
    except InputError as error:
        _fail(str(error))


@app.callback(invoke_without_command=True)
def _secant(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        import secant

        print(f"secant {secant.__version__}")
        raise typer.Exit


@app.command()
def train(
    table: Annotated[Path, typer.Argument(metavar="DATA.csv", help="Table with a header line.")],
    target: Annotated[str | None, typer.Option(help="The column to learn.")] = None,
    method: Annotated[str, typer.Option(help="Optimiser; see: secant methods.")] = "l-bfgs",
    hidden: Annotated[str, typer.Option(help="Units of each hidden layer, or none.")] = "16,16",
    activation: Annotated[str, typer.Option(help="Of the hidden layers.")] = "tanh",
    loss: Annotated[str, typer.Option(help="auto, mean-squared or cross-entropy.")] = "auto",
    l2: Annotated[float, typer.Option(help="Factor of the sum of squared weights.")] = 1e-3,
    seed: Annotated[int, typer.Option(help="Of the division and the first weights.")] = 0,
    max_seconds: Annotated[float, typer.Option(help="Limit on the training time.")] = 60.0,
    max_iter: Annotated[int, typer.Option(help="Limit on the iterations.")] = 10_000,
    patience: Annotated[
        int, typer.Option(help="Iterations in a row without a lower validation loss.")
    ] = 50,
    gtol: Annotated[float, typer.Option(help="Gradient at which to stop.")] = 1e-6,
    task: Annotated[str, typer.Option(help="auto, regression or classification.")] = "auto",
    ignore: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="No input; may be repeated.")
    ] = None,
    categorical: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Its numbers are codes; may be repeated."),
    ] = None,
    separator: Annotated[str | None, typer.Option(help="Between two cells.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="New folder for model and report.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the model in --out.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Train a network on a table and write the model and a report."""
    with _learning("train"):
        from secant.learn import Settings, Strategy, train_table
        from secant.learn.output import check_new_folder, free_folder
        from secant.report.terminal import training_line

        target = target or _fail_without_target(table, separator)
        folder = out or free_folder(Path("runs") / _as_file_name(f"{table.stem}-{target}"))
        check_new_folder(folder, replace=force, marker="model.json")
        settings = Settings(
            target=target,
            hidden=_layers(hidden),
            activation=activation,
            loss=loss,
            l2=l2,
            seed=seed,
            strategy=Strategy(method, gtol, max_iter, max_seconds, patience),
            task=_task(task),
            ignore=tuple(ignore or ()),
            categorical=tuple(categorical or ()),
            separator=separator,
        )
        with training_line(quiet) as progress:
            trained = train_table(table, settings, progress)
        _write(trained, folder, _command(table, settings))
        if not quiet:
            _summarise(trained, folder)


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that train has written.")],
    table: Annotated[Path, typer.Argument(metavar="NEW.csv", help="Rows to predict.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="File to write.")] = Path(
        "predictions.csv"
    ),
    separator: Annotated[str | None, typer.Option(help="Between two cells.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file in --out.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Predict the target for the rows of a table, in their order."""
    with _learning("predict"):
        from secant.learn import load_model, predict_table
        from secant.learn.output import check_new_file, whole_file

        check_new_file(out, replace=force)
        predictions, notes = predict_table(load_model(model), table, separator)
        with whole_file(out) as file:
            predictions.to_csv(file, index=False)
        if not quiet:
            for note in notes:
                print(f"note: {note}")
            print(f"{out}: {len(predictions):,} predictions")


@app.command()
def check(
    target: Annotated[
        str, typer.Argument(metavar="FILE.py:FUNCTION", help="A function in a file of yours.")
    ],
    x0: Annotated[
        str, typer.Option(help="Where: numbers such as -1.2,1, or a name in the file.")
    ] = "x0",
    jac: Annotated[str | None, typer.Option(help="Name of its gradient in the file.")] = None,
    hess: Annotated[str | None, typer.Option(help="Name of its Hessian in the file.")] = None,
    points: Annotated[int, typer.Option(min=1, help="At how many points to compare.")] = 5,
) -> None:
    """Compare a gradient with differences; exit code 1 if it is wrong or doubtful.

    The file is run as Python does. With tensors and modules autograd's gradient is checked.
    """
    from secant.derivatives.command import check_file
    from secant.userfile import UserFileError

    try:
        found = check_file(target, jac, hess, x0, points)
    except UserFileError as error:
        _fail(str(error))
    for one in found:
        print(one)
    if not all(one.ok for one in found):
        raise typer.Exit(1)


@app.command()
def methods() -> None:
    """List the optimisers: name, what it is, where it is from."""
    from secant.methods import REGISTRY

    width = max(map(len, REGISTRY)) + 2
    for entry in REGISTRY.values():
        also = f" (also called {', '.join(entry.aliases)})" if entry.aliases else ""
        print(f"{entry.name:<{width}}{entry.summary}{also}\n{'':<{width}}{entry.source}")


def _fail_without_target(table: Path, separator: str | None) -> NoReturn:
    from secant.learn.data import read_table
    from secant.learn.errors import listing

    columns = listing(read_table(table, separator=separator).columns)
    _fail(f"--target is missing: name the column to learn; {table.name} has {columns}")


def _as_file_name(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "_" for letter in text)


def _layers(text: str) -> tuple[int, ...]:
    if text.strip().lower() in ("", "none"):
        return ()
    try:
        units = tuple(int(part) for part in text.split(","))
    except ValueError:
        units = (0,)
    if min(units) < 1:
        _fail(f"--hidden must be whole numbers from 1 such as 16,16, or none, not {text!r}")
    return units


def _task(text: str) -> Task | None:
    from secant.learn import Task

    names = [task.value for task in Task]
    if text not in ("auto", *names):
        _fail(f"--task must be one of {', '.join(['auto', *names])}, not {text!r}")
    return None if text == "auto" else Task(text)


def _write(trained: Trained, folder: Path, command: str) -> None:
    from secant.learn import save_model
    from secant.learn.output import whole_folder
    from secant.report.html import render
    from secant.report.training import training_page

    with whole_folder(folder) as place:
        save_model(trained.model, place)
        trained.training.history.write_csv(place / _HISTORY)
        page = render(training_page(trained, command))
        (place / _REPORT).write_text(page, encoding="utf-8")


def _command(table: Path, settings: Settings) -> str:
    """The command line that repeats a training, defaults written out."""
    strategy = settings.strategy
    options = {
        "target": settings.target,
        "method": strategy.method,
        "hidden": ",".join(map(str, settings.hidden)) or "none",
        "activation": settings.activation,
        "loss": settings.loss,
        "l2": settings.l2,
        "seed": settings.seed,
        "max-seconds": strategy.max_seconds,
        "max-iter": strategy.max_iter,
        "patience": strategy.patience,
        "gtol": strategy.gtol,
        "task": settings.task.value if settings.task else "auto",
    }
    words = ["secant", "train", str(table)]
    for name, value in options.items():
        words += [f"--{name}", f"{value:g}" if isinstance(value, float) else str(value)]
    for name, columns in (("ignore", settings.ignore), ("categorical", settings.categorical)):
        for column in columns:
            words += [f"--{name}", column]
    if settings.separator:
        words += ["--separator", settings.separator]
    return shlex.join(words)


def _summarise(trained: Trained, folder: Path) -> None:
    from rich.console import Console

    from secant.report.numbers import count, time
    from secant.report.terminal import print_table
    from secant.report.training import score_table

    training = trained.training
    for note in trained.dataset.notes:
        print(f"note: {note}")
    print_table(Console(), score_table(trained))
    print(
        f"{training.status.value}\n"
        f"{count(training.iterations, 'iteration')}, "
        f"{count(training.evaluations, 'evaluation')}, {time(training.seconds)}; "
        f"the weights of iteration {training.best.iteration} were kept\n"
        f"{folder}: model.safetensors, model.json, {_HISTORY}, {_REPORT}\n"
        f"next: {shlex.join(['secant', 'predict', str(folder), 'new.csv'])} --out predictions.csv"
    )
