"""What the packages are made of: which parts go in, the texts that Linux wants beside a program, and their checks."""
