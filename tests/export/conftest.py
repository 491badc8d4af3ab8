"""Fits for the tests of exports: no training where only the network's form matters."""

import pytest
from onnx_cases import random_network

from skembed._keras import trainer


@pytest.fixture
def untrained(monkeypatch):
    """Fit without training, and with random weights: no trace has to be made."""

    def no_training(fitted, phases, rng, hooks=None, others=None):
        return trainer.Trained(fitted, [0.0], [fitted])

    monkeypatch.setattr(trainer, "train", no_training)

    def fit(model, X, y, **kwargs):
        return random_network(model.fit(X, y), **kwargs)

    return fit
