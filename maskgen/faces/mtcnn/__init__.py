"""MTCNN's three networks: their weights, and what runs them."""
