"""The page of `endings.py` inside FastAPI: the port is the one argument, uvicorn the server."""

import sys

import uvicorn
from fastapi import FastAPI
from panel.io.fastapi import add_applications

from tests.e2e.apps.endings import page

port, unused = (int(argument) for argument in sys.argv[1:])
app = FastAPI()
add_applications(
    {"/endings": page},
    app=app,
    websocket_origin=f"127.0.0.1:{port}",
    check_unused_sessions_milliseconds=unused,
    unused_session_lifetime_milliseconds=unused,
)
uvicorn.run(app, host="127.0.0.1", port=port, log_level="info")
