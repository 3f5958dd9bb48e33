"""`maskgen embed`: the embeddings of a list's images."""
