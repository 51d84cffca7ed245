"""What the platforms on AWS share: reaching an account, asking it, and being told no."""
