"""What a network is trained on: lists, images, features, samplers."""
