"""A perceptron's loss and all its derivatives in closed form, on NumPy arrays."""
