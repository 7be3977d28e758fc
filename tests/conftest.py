"""What all tests share: one thread, because the arrays are small; the same random examples each time."""

import torch
from hypothesis import settings

torch.set_num_threads(1)

settings.register_profile("same", derandomize=True, deadline=None)
settings.load_profile("same")
