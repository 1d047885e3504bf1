"""From memory beats to the weights and biases of the linear unit; one group is loaded while another is read."""
