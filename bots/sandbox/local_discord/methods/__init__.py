"""The operations of REST."""
