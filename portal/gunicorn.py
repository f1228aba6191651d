"""How gunicorn serves the portal, in the demo and in production; each start gives the address with `--bind`."""

worker_class = "gthread"
threads = 8
# Its own access log would repeat what the portal logs with a request id.
accesslog = None
graceful_timeout = 3
# A page never waits this long; a stuck worker is replaced.
timeout = 60
control_socket_disable = True
# The connection of a browser outlives the gap between two polls of a page.
keepalive = 15
