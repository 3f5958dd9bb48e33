"""Rendered people from wider ranges than the sample's: training data for the landmark network."""
