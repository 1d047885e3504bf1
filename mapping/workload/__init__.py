"""What is to be computed: a model, and a run of it."""
