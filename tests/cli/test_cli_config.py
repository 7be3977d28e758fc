"""`--config`: a file repeats a run, the command line wins, and mistakes are named."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields, replace

import pytest
import typer

from secant.cli import app
from secant.learn import Settings, Strategy, Task
from secant.learn.config import config_text, read_config, settings_from
from secant.learn.errors import InputError

SHORT = ("--hidden", "4", "--max-iter", "15")

# Every option away from its default.
UNUSUAL = Settings(
    'the "price"\t§',
    hidden=(3, 2),
    activation="silu",
    loss="huber",
    delta=0.5,
    l2=0.0,
    seed=7,
    strategy=Strategy("adam", max_iter=9, learning_rate=0.125, batch_size=7, goal=-1e-300, seed=3),
    task=Task.REGRESSION,
    ignore=("a=b", "ü"),
    categorical=("c",),
    separator=";",
    decimal=",",
    thousands=".",
    encoding="latin-1",
    division="blocks",
    column_scaling=("x=log",),
)


def test_settings_survive_the_text():
    for settings in (UNUSUAL, Settings("y"), Settings("y", hidden=())):
        text = config_text(settings, data="data.csv")
        options = tomllib.loads(text)
        assert options.pop("data") == "data.csv"
        assert settings_from(options) == settings


def test_every_option_that_is_set_is_in_the_text():
    text = tomllib.loads(config_text(UNUSUAL))
    assert {entry.name for entry in fields(Settings)} - set(text) == {"division_column"}
    unset = {"max_evals", "pairs"}
    assert {entry.name for entry in fields(Strategy)} - set(text["strategy"]) == unset


def test_every_setting_is_an_option_of_train_with_the_same_default():
    command = typer.main.get_command(app).commands["train"]
    parameters = {parameter.name: parameter.default for parameter in command.params}
    words = {"hidden": "16,16", "task": "auto", "ignore": None, "categorical": None}
    words |= {"column_scaling": None, "target": None}
    outside = {"strategy", "target"}
    for options in (Settings("y"), Strategy()):
        for entry in fields(options):
            if entry.name in outside:
                continue
            expected = words.get(entry.name, getattr(options, entry.name))
            assert parameters[entry.name] == expected, entry.name


def test_the_seed_of_the_strategy_follows_unless_it_is_given():
    assert settings_from({"target": "y", "seed": 5}).strategy.seed == 5
    given = {"target": "y", "seed": 5, "strategy": {"seed": 6}}
    assert settings_from(given).strategy.seed == 6


def test_short_names_and_hyphens_are_as_good_as_tables():
    short = settings_from({"target": "y", "max-iter": 3, "method": "bfgs"})
    long = settings_from({"target": "y", "strategy": {"max_iter": 3, "method": "bfgs"}})
    assert short == long == Settings("y", strategy=replace(Strategy("bfgs"), max_iter=3))


BAD = {
    "unknown": ("max_secnds = 3", "there is no option 'max_secnds'; did you mean 'max_seconds'"),
    "unknown in a table": (
        "[strategy]\nmethd = 'bfgs'",
        "there is no option 'strategy.methd'; did you mean 'method'?",
    ),
    "text for a number": ("l2 = 'much'", "l2 must be a number, not 'much'"),
    "a fraction for a count": ("max_iter = 2.5", "max_iter must be a whole number, not 2.5"),
    "truth for a number": ("seed = true", "seed must be a whole number, not True"),
    "a number for a list": ("hidden = 16", "hidden must be a list, each a whole number, not 16"),
    "no such task": ("task = 'guess'", "task must be one of 'regression', 'classification'"),
    "no table": ("strategy = 3", "'strategy' must be a table of options, not 3"),
    "no TOML": ("target = ", "is no TOML text"),
}


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD)
def test_mistakes_in_a_file_are_named(secant, tmp_path, text, expected):
    (tmp_path / "run.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_config(tmp_path / "run.toml")
    assert expected in str(caught.value)
    done = secant("train", "--config", "run.toml")
    assert done.sentence == str(caught.value)
    assert done.sentence.startswith("run.toml")


def test_a_file_that_is_not_there(secant):
    assert secant("train", "--config", "no.toml").sentence == "there is no file 'no.toml'"


def test_a_run_folder_repeats_itself(secant, houses_csv, tmp_path):
    first = secant("train", houses_csv, "--target", "price", *SHORT, "--seed", 4, "--out", "one")
    assert (first.code, first.err) == (0, "")
    again = secant("train", "--config", "one/run.toml", "--out", "two")
    assert (again.code, again.err) == (0, "")
    for name in ("model.safetensors", "model.json", "run.toml"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_command_line_wins_over_the_file(secant, houses_csv, tmp_path):
    (tmp_path / "run.toml").write_text(
        f"data = {json.dumps(str(houses_csv))}\ntarget = 'price'\nout = 'here'\n"
        "hidden = [4]\nmax_iter = 15\nl2 = 0.5\n"
    )
    done = secant("train", "--config", "run.toml", "--l2", "0.001", "--json")
    assert (done.code, done.err) == (0, "")
    used = tomllib.loads(json.loads(done.out)["config"])
    # The value on the command line is the default, and still it wins.
    assert (used["l2"], used["hidden"], used["strategy"]["max_iter"]) == (0.001, [4], 15)
    assert (tmp_path / "here" / "model.json").is_file()
