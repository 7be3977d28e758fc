"""Many small fits at once: the same model, each data set with its own parameters.

The last axis of every array counts data sets, so that one operation of the array library does the same for
all of them: `triangular` (QR), `curves` (the model and its data), `columns` (its derivatives), `lanes` (what
is known of each fit), `steps` (Levenberg-Marquardt's), `verdicts` (when a fit has ended) and `pool` (fits that
have ended make room for the next).
"""
