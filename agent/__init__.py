"""The part that runs where the traffic is: the engine and, around it, what places and ships it."""
