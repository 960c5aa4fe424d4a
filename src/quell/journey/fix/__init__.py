"""Make it right, with leave."""
