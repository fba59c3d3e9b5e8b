"""A script with a running link; prints how long it takes to enter and leave a task, in seconds."""

import json
from time import perf_counter, sleep

from panel_session_monitor import SessionClient

RUNS, WARM_UP = 100_000, 1_000

tracker = SessionClient.get_tracker(app_name="script")
while not tracker.online:
    sleep(0.01)

seconds = []
for _ in range(WARM_UP + RUNS):
    began = perf_counter()
    with tracker.task("Computing"):
        pass
    seconds.append(perf_counter() - began)
print(json.dumps(seconds[WARM_UP:]))
