"""Tools of the project's own making that are no part of tapper: generators of captures."""
