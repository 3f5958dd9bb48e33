"""Light, colour, blur and noise of a photograph, estimated and applied."""
