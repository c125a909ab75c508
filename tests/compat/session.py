"""Runs the app.py of the current folder as a person would, and answers requests that come as lines of JSON.

`MAXApp.run` hands the app over instead of serving it. The first line out says what the app printed; then each
line in is the keywords of a werkzeug test request, each line out its answer. Bytes travel as base64.
"""

import base64
import contextlib
import io
import json
import os
import runpy
import sys


def main() -> None:
    here = os.getcwd()
    # As `python app.py` would: the app's folder first, this script's not at all.
    sys.path[0] = here
    app_file = os.path.join(here, "app.py")

    from maxfw.core import MAXApp

    served = []
    MAXApp.run = lambda self, *arguments, **keywords: served.append((self, arguments, keywords))
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        runpy.run_path(app_file, run_name="__main__")
    [(max_app, arguments, keywords)] = served
    tell({"printed": printed.getvalue(), "run": [arguments, keywords], "title": max_app.api.title})
    client = max_app.app.test_client()
    for line in sys.stdin:
        with client.open(**request_of(json.loads(line))) as response:
            tell(
                {
                    "status": response.status_code,
                    "headers": dict(response.headers),
                    "body": base64.b64encode(response.get_data()).decode(),
                }
            )


def request_of(keywords: dict) -> dict:
    files = keywords.pop("files", {})
    if files:
        keywords["data"] = {**keywords.get("data", {})}
        for field, (name, content, mimetype) in files.items():
            keywords["data"][field] = (io.BytesIO(base64.b64decode(content)), name, mimetype)
        keywords["content_type"] = "multipart/form-data"
    return keywords


def tell(message: dict) -> None:
    print(json.dumps(message), flush=True)


main()
