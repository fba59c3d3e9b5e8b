"""The page of `endings.py` inside FastAPI, uvicorn the server.

The arguments are the port, how long sessions live unused, and how often that is looked at (ms).
"""

import sys

import uvicorn
from fastapi import FastAPI
from panel.io.fastapi import add_applications

from tests.e2e.apps.endings import page

port, unused, sweep = (int(argument) for argument in sys.argv[1:])
app = FastAPI()
add_applications(
    {"/endings": page},
    app=app,
    websocket_origin=f"127.0.0.1:{port}",
    check_unused_sessions_milliseconds=sweep,
    unused_session_lifetime_milliseconds=unused,
)
uvicorn.run(app, host="127.0.0.1", port=port, log_level="info")
