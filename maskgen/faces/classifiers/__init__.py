"""Small classifier networks on aligned faces."""
