"""One fit on the workers of a Dask cluster: where its steps run, and what ends it."""
