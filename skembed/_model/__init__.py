"""The network in NumPy: its shape, its predictions and their uncertainty."""
