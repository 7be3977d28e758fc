"""The command line ``secant``: one file per command, what they share in `app` and `shared`.

Importing this package is quick; each command imports what it needs. Whatever the user can put right
ends a command with one line ``error: ...`` on standard error and exit code 2.
"""

from secant.cli.app import app as app
from secant.cli.app import main as main
from secant.cli.app import run as run

from secant.cli import (  # isort: skip  (they need the app)
    check,
    compare,
    evaluate,
    export,
    methods,
    predict,
    report,
    train,
    tune,
)

# The order of the help page.
for _command in (
    train.train,
    compare.compare,
    tune.tune,
    predict.predict,
    evaluate.evaluate,
    report.report,
    export.export,
    methods.methods,
    check.check,
):
    app.command()(_command)
