"""One file a command; each has it as `command`."""
