"""What turns pictures of faces into embeddings: trained checkpoints, and recognisers as others trained them."""
