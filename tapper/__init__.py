"""tapper shows what the services of a cluster really say to each other."""
