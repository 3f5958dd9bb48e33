"""MTCNN's three networks: their weights, and inference with OpenVINO or PyTorch."""
