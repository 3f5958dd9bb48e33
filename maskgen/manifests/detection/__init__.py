"""Labels of faces, masks and how they are worn in whole photographs, for the training of detectors."""
