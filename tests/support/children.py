"""The processes of this machine, as /proc tells them."""

from pathlib import Path

PROC = Path("/proc")


def children(parent: int) -> set[int]:
    """Return the living children of a process, without what Python keeps for its own ends."""
    found = set()
    for stat in PROC.glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            command = (stat.parent / "cmdline").read_bytes()
        except OSError:  # it has just ended
            continue
        if int(fields[1]) == parent and b"resource_tracker" not in command:
            found.add(int(stat.parent.name))
    return found


def running(pid: int) -> bool:
    """Tell whether a process is there and no zombie that waits for its parent."""
    try:
        state = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in ("Z", "X")
