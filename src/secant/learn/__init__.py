"""From a table to a trained network: data, preparation, loss, strategy, model files.

`train_table` is the whole way; each of its steps is in a module of its own.
"""

from secant.learn.dataset import Dataset as Dataset
from secant.learn.dataset import Task as Task
from secant.learn.errors import InputError as InputError
from secant.learn.history import Epoch as Epoch
from secant.learn.history import History as History
from secant.learn.job import Settings as Settings
from secant.learn.job import Trained as Trained
from secant.learn.job import train_table as train_table
from secant.learn.loss import LossIndex as LossIndex
from secant.learn.model import Model as Model
from secant.learn.modelfile import load_model as load_model
from secant.learn.modelfile import save_model as save_model
from secant.learn.network import Perceptron as Perceptron
from secant.learn.prediction import predict_table as predict_table
from secant.learn.strategy import Strategy as Strategy
from secant.learn.strategy import Training as Training
from secant.learn.strategy import train_network as train_network
