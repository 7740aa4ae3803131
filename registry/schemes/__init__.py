"""Text to canonical identifier and back, one module a scheme."""
