"""Machine parameters: where they come from, what they mean, and how a user sets them."""
