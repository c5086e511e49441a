"""Processes: the embedded PostgreSQL, the web server, the worker, and who looks after them."""
