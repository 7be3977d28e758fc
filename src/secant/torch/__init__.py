"""PyTorch: optimizers with the interface of `torch.optim`, and front ends for tensors and modules."""

from secant.torch import needed as needed
from secant.torch.accumulate import full_batch_closure as full_batch_closure
from secant.torch.marquardt import LevenbergMarquardt as LevenbergMarquardt
from secant.torch.newton import NewtonCG as NewtonCG
from secant.torch.newton import TrustRegionNewton as TrustRegionNewton
from secant.torch.optimizers import BFGS as BFGS
from secant.torch.optimizers import LBFGS as LBFGS
from secant.torch.optimizers import NonlinearCG as NonlinearCG
from secant.torch.optimizers import SSBroyden as SSBroyden

__all__ = [
    "BFGS",
    "LBFGS",
    "LevenbergMarquardt",
    "NewtonCG",
    "NonlinearCG",
    "SSBroyden",
    "TrustRegionNewton",
    "full_batch_closure",
]
