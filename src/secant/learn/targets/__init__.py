"""Targets: which columns are learnt, as numbers or as classes, and what the network's outputs mean."""

from secant.learn.targets.classes import ClassTarget as ClassTarget
from secant.learn.targets.classes import ClassTargets as ClassTargets
from secant.learn.targets.columns import TargetCells as TargetCells
from secant.learn.targets.columns import Task as Task
from secant.learn.targets.fitting import Target as Target
from secant.learn.targets.fitting import fit_target as fit_target
from secant.learn.targets.fitting import read_target as read_target
from secant.learn.targets.fitting import read_target_of_version_1 as read_target_of_version_1
from secant.learn.targets.numbers import NumericTarget as NumericTarget
from secant.learn.targets.numbers import NumericTargets as NumericTargets
