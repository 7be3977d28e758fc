"""What all tests share: one thread, because the arrays are small and the machine is shared."""

import torch

torch.set_num_threads(1)
