"""The HTTP API over any feed, and the page of the web view: `app.create_app` makes the server, `serving` runs it.

`routes` is the one table of what can be asked: requests are read by it, answered by it, and docs/openapi.json is made
of it. Calls of the feed run in a few threads (`workers`); the event loop only moves bytes.
"""
