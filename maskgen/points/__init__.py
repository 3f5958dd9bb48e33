"""Given faces: boxes and landmarks from an annotation file, in place of detection."""
