"""The pieces of EmbeddingEncoder that are functions of data."""
