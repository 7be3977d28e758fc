"""Networks as scikit-learn's estimators."""

from secant.learn.estimators.classifier import MLPClassifier as MLPClassifier
from secant.learn.estimators.regressor import MLPRegressor as MLPRegressor
