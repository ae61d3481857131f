"""Forms of values: how frames, arrays, images, models become the bytes of an object, and back."""
