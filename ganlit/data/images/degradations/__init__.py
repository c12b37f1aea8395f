"""What is done to images so that a generator learns to undo it: plain objects, drawn from a seeded stream."""
