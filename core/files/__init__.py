"""What leaves the program: tensors to pixels, sprites and films (`render`), arrays and tables (`arrays`)."""
