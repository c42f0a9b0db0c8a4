"""What tapper costs, measured side by side with others on the same file: `python -m bench`."""
