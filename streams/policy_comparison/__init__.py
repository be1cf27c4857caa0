"""What if the policy were another: history decided by both, and what a switch would publish."""
