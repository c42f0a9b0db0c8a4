"""Everything that talks to Kubernetes: find what to tap, place agent and collector, watch, forward, check, clean.

`connect` gives a `Cluster`; all else takes one. Objects are plain JSON as the API server gives and takes them: models
of every kind would cost more time and memory than the few fields that are read here.
"""
