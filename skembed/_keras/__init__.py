"""The engine room: the only place that imports tensorflow, keras and scikeras."""
