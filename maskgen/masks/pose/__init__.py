"""The head and the camera: pose, and the shape of the person."""
