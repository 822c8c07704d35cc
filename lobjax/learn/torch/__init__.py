"""Training with the network in PyTorch (extra `torch`): `lobjax.learn.train(config, backend=Torch())`. The tests hold it to Flax's."""

import lobjax.torch_port  # noqa: F401 - says so in one line where torch is missing
from lobjax.learn.torch.backend import Torch

__all__ = ["Torch"]
