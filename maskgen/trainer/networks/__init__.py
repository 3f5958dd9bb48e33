"""Networks: backbones, pooling, adapters, and models of the reference."""
