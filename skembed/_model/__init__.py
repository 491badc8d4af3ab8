"""The network in NumPy: its shape, what it says, and how sure it is."""
