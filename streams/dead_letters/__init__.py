"""Dead letters after their death: which there are, and sending them again."""
