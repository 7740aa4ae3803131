"""What is asked, and what the right answer looks like: one module for each protocol."""
