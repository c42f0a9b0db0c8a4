"""What every front end reads: `interface.Feed` is it, `session.SessionFeed` reads a session's store."""
