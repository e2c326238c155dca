"""Beyond the ball: waves, filters and weather, to which small perturbations are one case among many."""
