"""A Dask cluster of programs, as one is started by hand: each of them may be killed."""

from pathlib import Path

from .processes import ROOT, Process, eventually, free_port, python


class DaskCluster:
    """A scheduler, and a worker with its nanny, which know the tests' functions."""

    def __init__(self, folder: Path) -> None:
        port = str(free_port())
        self.address = f"tcp://127.0.0.1:{port}"
        module, env = "distributed.cli.dask_", {"PYTHONPATH": str(ROOT)}
        page = "--dashboard-address=:0"
        self.scheduler = Process(
            python("-m", f"{module}scheduler", "--host", "127.0.0.1", "--port", port, page),
            folder / "scheduler.log",
            env,
        )
        self.worker = Process(
            python("-m", f"{module}worker", self.address, "--local-directory", folder, page),
            folder / "worker.log",
            env,
        )
        eventually(lambda: "Scheduler at" in self.scheduler.output)

    def stop(self) -> None:
        """End the programs."""
        self.worker.stop()
        self.scheduler.stop()
