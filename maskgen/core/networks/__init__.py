"""Networks run by OpenVINO, and their convolutions in whole numbers."""
