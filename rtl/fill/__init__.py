"""Many beats of one number, such as the zeros from which experts accumulate."""
