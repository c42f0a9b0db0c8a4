"""The collector: takes what agents ship, names and keeps it, and answers front ends (`api`)."""
