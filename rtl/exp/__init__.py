"""The exponential of arguments up to 0."""
