"""Embedders, which turn face crops into embeddings: trained checkpoints and pretrained recognisers."""
