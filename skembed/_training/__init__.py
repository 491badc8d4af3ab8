"""A fit in plain terms: settings, schedule, problem, phases. No TensorFlow."""
