"""Who calls whom: edges become a networkx graph, pictures and texts of it, and the difference of two maps.

Pure: tables in, text out. Nothing is imported here, so that a command line that draws no map pays for none.
"""
