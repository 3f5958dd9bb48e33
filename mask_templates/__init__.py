"""The masks: one folder each, all drawn by this project, and the mean head they are fitted to."""
