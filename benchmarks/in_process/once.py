"""The bare runtime: load a task, answer one file, say so, and wait; for start-up seconds and memory without a server.

python once.py TASK FILE
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import work


def main() -> None:
    """Answer once, then wait until standard input is closed."""
    task, file = sys.argv[1:]
    model = work.load(task)
    upload = Path(file).read_bytes()
    item = upload if task.startswith("image") else json.loads(upload)["text"][0]
    [result] = model.run([model.read(item)])
    print(json.dumps(model.write(result)), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
