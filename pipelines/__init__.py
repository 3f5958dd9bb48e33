"""The commands: inputs, workers, runs on disk, reports."""
