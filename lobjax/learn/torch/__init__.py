"""The same learner with the network in PyTorch (extra `torch`), held to the Flax one by the tests."""
