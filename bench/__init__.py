"""Timings beside the libraries people use today, on the same model and the same pictures."""
