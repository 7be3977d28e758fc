"""``secant tune``: a search for good settings; the best model in a run folder."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from secant.cli.settings import chosen, new_folder, take_table, takes_settings
from secant.cli.shared import (
    Force,
    Json,
    Quiet,
    end_interrupted,
    fail,
    learning,
    next_command,
    print_json,
    run_name,
)
from secant.cli.train import end_if_interrupted, write_run

if TYPE_CHECKING:
    from secant.learn import Settings
    from secant.learn.space import Space
    from secant.learn.tune import Trial, Tuned

__all__ = ["tune"]

_TRIALS = "trials.csv"


@takes_settings()
def tune(
    context: typer.Context,
    data: Annotated[
        str | None,
        typer.Argument(metavar="DATA.csv", help="Table with a header line; - for standard input."),
    ] = None,
    *,
    trials: Annotated[int, typer.Option(help="Trainings of the study in the end.")] = 30,
    study: Annotated[
        Path | None, typer.Option(metavar="FILE.db", help="Keeps the study, to go on with it.")
    ] = None,
    search: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=RANGE", help="Such as width=log:4..64; may be repeated."),
    ] = None,
    search_seconds: Annotated[
        float | None, typer.Option(help="Limit on the time of the whole search.")
    ] = None,
    no_pruning: Annotated[
        bool, typer.Option("--no-pruning", help="Finish trainings that look hopeless.")
    ] = False,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="New folder for the best model.")
    ] = None,
    force: Force = False,
    quiet: Quiet = False,
    as_json: Json = False,
    **options: Any,
) -> None:
    """Search for the method, the network and the regularisation that validate best.

    What is given as an option or in the config file is not searched.
    """
    with learning("tune"):
        from secant.learn.config import settings_from
        from secant.learn.tune import tune_table

        choice = chosen(context, {"data": str, "out": str})
        table, out = take_table(choice), choice.pop("out", None)
        settings = settings_from(choice)
        name = run_name(table, settings.targets)
        folder = new_folder(out, name, replace=force, marker="model.json")
        try:
            tuned = tune_table(
                table,
                settings,
                space=_space(search, settings, {name.rpartition(".")[2] for name in choice}),
                trials=trials,
                storage=study,
                max_seconds=float("inf") if search_seconds is None else search_seconds,
                prune=not no_pruning,
                progress=None if quiet or as_json else _print_trial,
            )
        except KeyboardInterrupt:
            if study is None:
                raise
            end_interrupted(f"{study} keeps the trials: the same command goes on")
        write_run(tuned.trained, folder, table, also=lambda place: _write_trials(tuned, place))
        if as_json:
            print_json(_for_machines(tuned, folder))
        elif not quiet:
            _summarise(tuned, folder)
        if tuned.interrupted:
            end_interrupted(f"{folder} has the best model of the trials so far")
        end_if_interrupted(tuned.trained, folder)


def _space(search: list[str] | None, settings: Settings, given: set[str]) -> Space:
    """What is searched: the ranges that were given, or the default ones of what was not given."""
    from secant.learn.space import default_space, read_space

    fixed = given | ({"depth", "width"} if "hidden" in given else set())
    if not search:
        return {name: part for name, part in default_space(settings).items() if name not in fixed}
    space = read_space(search)
    both = sorted(fixed & space.keys())
    if both:
        fail(f"--search {both[0]}: it was given a value, too; leave one of them out")
    return space


def _print_trial(trial: Trial, best: Trial | None) -> None:
    choices = ", ".join(f"{name} {_short(value)}" for name, value in trial.choices.items())
    outcome = f"{trial.validation_loss:.5g}" if trial.state == "complete" else trial.state
    mark = "  (best)" if best is not None and best.number == trial.number else ""
    reason = f": {trial.reason}" if trial.reason else ""
    print(f"trial {trial.number}: {outcome}{reason}{mark}  {choices}", flush=True)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _write_trials(tuned: Tuned, folder: Path) -> None:
    """One line for each trial, the quantities that were searched in the last columns."""
    searched = sorted({name for trial in tuned.trials for name in trial.choices})
    with (folder / _TRIALS).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["trial", "state", "validation_loss", "seconds", "reason", *searched])
        for trial in tuned.trials:
            known = [trial.number, trial.state, trial.validation_loss, trial.seconds, trial.reason]
            writer.writerow([*known, *(trial.choices.get(name, "") for name in searched)])


def _for_machines(tuned: Tuned, folder: Path) -> dict[str, Any]:
    from secant.learn.config import config_text

    return {
        "folder": folder,
        "best": vars(tuned.best),
        "trials": [vars(trial) for trial in tuned.trials],
        "scores": {part: scores.values for part, scores in tuned.trained.scores.items()},
        "config": config_text(tuned.settings),
    }


def _summarise(tuned: Tuned, folder: Path) -> None:
    from secant.report.numbers import count, label, short

    states = [trial.state for trial in tuned.trials]
    ended = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    test = tuned.trained.scores["test"].values
    print(
        f"{count(len(tuned.trials), 'trial')}: {ended}\n"
        f"best: trial {tuned.best.number}, validation loss {short(tuned.best.validation_loss)}; "
        f"on the test rows {', '.join(f'{label(name)} {short(value)}' for name, value in test.items())}\n"
        f"{folder}: the model, its report, run.toml with the best settings, {_TRIALS}\n"
        f"{next_command(tuned.settings, folder)}"
    )
