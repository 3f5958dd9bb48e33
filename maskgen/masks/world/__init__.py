"""The kind `world`: counts of the masks that people wear, designs drawn from them, and their textures."""
