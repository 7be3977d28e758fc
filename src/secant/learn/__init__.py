"""From a table to a trained network: data, preparation, loss, strategy, model files.

`train_table` is the whole way; each of its steps is in a module of its own.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from secant.learn import needed as needed
from secant.learn.errors import InputError as InputError
from secant.learn.history import Epoch as Epoch
from secant.learn.history import History as History
from secant.learn.job import Trained as Trained
from secant.learn.job import train_prepared as train_prepared
from secant.learn.job import train_table as train_table
from secant.learn.loss import LossIndex as LossIndex
from secant.learn.model import Model as Model
from secant.learn.modelfile import load_model as load_model
from secant.learn.modelfile import save_model as save_model
from secant.learn.network import Perceptron as Perceptron
from secant.learn.order_selection import GrowingNeurons as GrowingNeurons
from secant.learn.order_selection import OrderSelection as OrderSelection
from secant.learn.order_selection import select_order as select_order
from secant.learn.prediction import predict_table as predict_table
from secant.learn.prepared import Prepared as Prepared
from secant.learn.prepared import prepare_dataset as prepare_dataset
from secant.learn.prepared import prepare_table as prepare_table
from secant.learn.settings import Settings as Settings
from secant.learn.strategy import Strategy as Strategy
from secant.learn.strategy import Training as Training
from secant.learn.strategy import train_network as train_network
from secant.learn.tables.dataset import Dataset as Dataset
from secant.learn.tables.dataset import Task as Task
from secant.learn.tables.dialect import Dialect as Dialect

if TYPE_CHECKING:
    from secant.learn.estimators import MLPClassifier as MLPClassifier
    from secant.learn.estimators import MLPRegressor as MLPRegressor
    from secant.learn.export import export_model as export_model
    from secant.learn.tune import tune_table as tune_table


# Imported when first used: scikit-learn takes two seconds, templates and Optuna more than nothing.
_LATER = {
    "MLPClassifier": "secant.learn.estimators",
    "MLPRegressor": "secant.learn.estimators",
    "export_model": "secant.learn.export",
    "tune_table": "secant.learn.tune",
}


def __getattr__(name: str) -> Any:
    """What is imported when it is first used."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_LATER[name]), name)
