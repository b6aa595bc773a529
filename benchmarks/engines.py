"""The same bits and the same verdicts from every engine, whatever dies on the way.

    python benchmarks/engines.py [--models 60]

Each row is a process of its own that makes the references of ``circles`` and audits two candidates.
Ray comes with the dependency group ``benchmarks``.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.bounds import table  # noqa: E402

RUN = """
import os, signal, sys
from indist import audits, oracles
from oracles.engines import engine
folder, models, name = sys.argv[1], int(sys.argv[2]), sys.argv[3]
chosen = engine(name)
if name == "ray":
    # Kills the worker that is at it, once, when the first shard has been written.
    import threading, time, subprocess
    from pathlib import Path
    def kill():
        while not list(Path(folder, "original").glob("*.safetensors")):
            time.sleep(0.01)
        found = subprocess.run(["pgrep", "-f", "ray::" + "_unit"], capture_output=True, text=True)
        for worker in found.stdout.split()[:1]:
            os.kill(int(worker), signal.SIGKILL)
            print("killed", worker, file=sys.stderr)
    threading.Thread(target=kill, daemon=True).start()
scenario = oracles.scenarios.load("circles", seed=0)
refs = oracles.references(
    scenario, models=models, seed=0, directory=folder, resume=True, engine=chosen, chunk=16
)
parts = (refs.original, refs.untraining, refs.unlearning)
print("=", *(part.digest[:12] for part in parts))
for method in ("identity", "retrain"):
    made = oracles.unlearn(scenario, refs.original, method=method, seed=1)
    print("=", method, audits.audit(made, refs, epsilon=0.0, tolerance=0.5).verdict)
"""


def run(folder: Path, models: int, engine: str, devices: int) -> subprocess.Popen[str]:
    """One process with so many virtual devices."""
    flags = f"--xla_force_host_platform_device_count={devices}"
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder), str(models), engine],
        env=os.environ | {"PYTHONPATH": str(ROOT), "XLA_FLAGS": flags},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupted(folder: Path, models: int) -> subprocess.Popen[str]:
    """Killed after the first shard, then continued on one device."""
    first = run(folder, models, "local", 2)
    while not list((folder / "original").glob("*.safetensors")):
        time.sleep(0.005)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    return run(folder, models, "local", 1)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=60)
    models = parser.parse_args().models
    ways = {
        "in process, one device": lambda folder: run(folder, models, "local", 1),
        "two virtual devices": lambda folder: run(folder, models, "local", 2),
        "four virtual devices": lambda folder: run(folder, models, "local", 4),
        "killed, then resumed": lambda folder: interrupted(folder, models),
        "Ray, a worker killed": lambda folder: run(folder, models, "ray", 1),
    }
    rows: list[list[str]] = []
    for name, way in ways.items():
        with tempfile.TemporaryDirectory() as folder:
            process = way(Path(folder) / "refs")
            out, error = process.communicate()
        if process.returncode:
            said = (error or out).strip().splitlines() or ["nothing"]
            rows.append([name, f"exit {process.returncode}: {said[-1][:60]}"])
            continue
        # Ray writes its own remarks between.
        lines = [line[2:] for line in out.splitlines() if line.startswith("= ")]
        remark = "a worker was killed" if "killed" in error else ""
        rows.append([name, lines[0], "; ".join(lines[1:]), remark])
    for row in rows:
        row += [""] * (4 - len(row))
    print(
        f"Same: references of circles, {models} models each, and the verdicts on two candidates\n"
    )
    table(["engine", "digests of O, T and A(D-B)", "verdicts", ""], rows)
    alike = {tuple(row[1:3]) for row in rows}
    print("all equal" if len(alike) == 1 else "THEY DIFFER")


if __name__ == "__main__":
    main()
