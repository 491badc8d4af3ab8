"""Fitted estimators and their vectors, written for other tools.

The functions for vectors take a fitted `EmbeddingRegressor`, `EmbeddingClassifier` or
an estimator that holds one as `estimator_`.
"""

from .._space.token_names import keyed_vectors_name, token_from_keyed_vectors_name
from ._frame import to_frame
from ._onnx import to_onnx
from ._parquet import to_parquet, to_table
from ._projector import to_projector
from ._safetensors import from_safetensors, to_safetensors
from ._skl2onnx import register_skl2onnx
from ._trusted import TRUSTED_TYPES
from ._word2vec import to_keyed_vectors

__all__ = [
    "TRUSTED_TYPES",
    "from_safetensors",
    "keyed_vectors_name",
    "register_skl2onnx",
    "to_frame",
    "to_keyed_vectors",
    "to_onnx",
    "to_parquet",
    "to_projector",
    "to_safetensors",
    "to_table",
    "token_from_keyed_vectors_name",
]
