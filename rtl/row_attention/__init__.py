"""Row-wise attention as its blocks compute it together, from a row of Q to a row of Z."""
