"""Records and maps as files that other tools open. Nothing is imported here: the command line asks for names early."""

MAP_FORMATS = ("json", "graphml", "dot", "mermaid", "csv", "svg", "png")
