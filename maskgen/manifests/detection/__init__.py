"""Labels of faces, masks and wearing positions in whole photographs, for training detectors."""
