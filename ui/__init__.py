"""What people look at, and the formatting that every front end shares."""
