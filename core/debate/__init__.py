"""Nine claims about adversarial examples, each with what this project measured: the Debate page.

claims      who says what, what it predicts, what the authors answered
measured    what the results files say of each
"""
