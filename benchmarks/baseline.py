"""The baseline that every ratio is measured against: the same API in the plainest way.

FastAPI, one SQLite connection per thread, one statement per request; synchronous routes.
BASELINE_DB names the file. It is a yardstick: it is measured as it stands, and never improved.
"""
# ruff: noqa: ANN201 -- FastAPI would check every answer against a return type, and be slower
# mypy: disable-error-code="no-untyped-def"

import os
import sqlite3
import threading
import time
import uuid

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

STALE, DELETE = 120, 600
DB = os.environ.get("BASELINE_DB", "sessions.db")
local = threading.local()


def conn() -> sqlite3.Connection:
    c = getattr(local, "c", None)
    if c is None:
        c = local.c = sqlite3.connect(DB, timeout=30, isolation_level=None)
        c.row_factory = sqlite3.Row
        c.execute("PRAGMA journal_mode=WAL")
        c.execute("PRAGMA synchronous=NORMAL")
    return c


sqlite3.connect(DB).executescript(
    """CREATE TABLE IF NOT EXISTS sessions(session_id TEXT PRIMARY KEY, app_name TEXT, user_id TEXT,
    status TEXT, task TEXT, started_at REAL, last_heartbeat REAL, kill_requested INTEGER DEFAULT 0);
    CREATE INDEX IF NOT EXISTS app ON sessions(app_name);"""
)


class Register(BaseModel):
    app_name: str
    user_id: str | None = None


class Status(BaseModel):
    status: str
    task: str | None = None


app = FastAPI()


@app.post("/sessions", status_code=201)
def register(body: Register):
    sid, now = str(uuid.uuid4()), time.time()
    conn().execute(
        "INSERT INTO sessions VALUES(?,?,?,'idle',NULL,?,?,0)",
        (sid, body.app_name, body.user_id, now, now),
    )
    return {"session_id": sid}


@app.delete("/sessions/stale")
def cleanup():
    n = (
        conn()
        .execute("DELETE FROM sessions WHERE last_heartbeat < ?", (time.time() - DELETE,))
        .rowcount
    )
    return {"deleted": n}


@app.delete("/sessions/{session_id}")
def remove(session_id: str):
    conn().execute("DELETE FROM sessions WHERE session_id=?", (session_id,))
    return {"ok": True}


@app.post("/sessions/{session_id}/heartbeat")
def heartbeat(session_id: str):
    c = conn()
    if not c.execute(
        "UPDATE sessions SET last_heartbeat=? WHERE session_id=?", (time.time(), session_id)
    ).rowcount:
        raise HTTPException(404)
    row = c.execute(
        "SELECT kill_requested FROM sessions WHERE session_id=?", (session_id,)
    ).fetchone()
    return {"kill_requested": bool(row[0])}


@app.put("/sessions/{session_id}/status")
def status(session_id: str, body: Status):
    n = (
        conn()
        .execute(
            "UPDATE sessions SET status=?, task=?, last_heartbeat=? WHERE session_id=?",
            (body.status, body.task, time.time(), session_id),
        )
        .rowcount
    )
    if not n:
        raise HTTPException(404)
    return {"ok": True}


@app.post("/sessions/{session_id}/kill")
def kill(session_id: str):
    if (
        not conn()
        .execute("UPDATE sessions SET kill_requested=1 WHERE session_id=?", (session_id,))
        .rowcount
    ):
        raise HTTPException(404)
    return {"ok": True}


@app.post("/apps/{app_name}/kill-all")
def kill_all(app_name: str):
    return {
        "killed": conn()
        .execute("UPDATE sessions SET kill_requested=1 WHERE app_name=?", (app_name,))
        .rowcount
    }


@app.get("/sessions")
def sessions():
    now, out = time.time(), []
    for r in conn().execute("SELECT * FROM sessions"):
        d = dict(r)
        d["age"] = now - d["last_heartbeat"]
        d["is_stale"] = d["age"] > STALE
        d["duration"] = now - d["started_at"]
        out.append(d)
    return out
