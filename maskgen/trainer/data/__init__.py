"""Training data: lists, images, features, samplers."""
