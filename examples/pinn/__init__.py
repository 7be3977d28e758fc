"""What the two physics-informed examples share: the network, the race of the optimizers, the picture."""
