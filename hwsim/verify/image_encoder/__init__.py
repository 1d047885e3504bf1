"""A bit-exact encoder of images in the formats of a machine's blocks, whichever machine that is."""
