"""nginx as the door to many models: `/NAME/…` is the model NAME, `/apps/NAME/` its web app, `/` the gallery."""

from __future__ import annotations

import html
from collections.abc import Mapping

from maxfw.deploy.described import Described, one_line

WEB_PORT = 8080
READ_TIMEOUT_S = 75  # longer than a model may take: whoever answers, it is the model that says so

_HEAD = """\
# Written by maxfw deploy.
worker_processes auto;
pid {folder}/nginx.pid;
error_log stderr warn;

events {{
    worker_connections 1024;
}}

http {{
    default_type application/octet-stream;
    access_log off;  # each model writes its own, with the request's id
    server_tokens off;
    sendfile on;
    types {{
        text/html html;
        text/css css;
        text/javascript js;
        image/png png;
        image/svg+xml svg;
    }}

    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;

    # Each model bounds its requests itself, and refuses with an answer of its own; this is for what none accepts.
    client_max_body_size 64m;
    client_body_timeout 30s;
    client_header_timeout 10s;
    limit_conn_zone $binary_remote_addr zone=client:1m;
    limit_conn client 100;
    limit_conn_status 503;
{resolver}
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Connection "";
    proxy_set_header X-Request-ID $request_id;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_connect_timeout 5s;
    proxy_read_timeout {read_timeout}s;
    proxy_next_upstream off;  # a prediction is not asked twice

    server {{
        listen {port};

        location = / {{
            root {gallery};
            try_files /index.html =404;
        }}
        location = /nginx_health {{
            default_type text/plain;
            return 200 "ok\\n";
        }}
"""

_MODEL = """
        location = /{route} {{
            return 308 $uri/$is_args$args;
        }}
        location /{route}/ {{
            {upstream}
            proxy_set_header X-Forwarded-Prefix /{route};
            proxy_redirect / /{route}/;
        }}
        # The pages name their files from the root, which is elsewhere here.
        location ~ ^/{route}/(|app/|swagger\\.json)$ {{
            {upstream}
            proxy_set_header Accept-Encoding "";
            proxy_set_header X-Forwarded-Prefix /{route};
            sub_filter_types application/json;
            sub_filter_once off;
            sub_filter 'href="/' 'href="/{route}/';
            sub_filter 'src="/' 'src="/{route}/';
            sub_filter 'url: "/' 'url: "/{route}/';
            sub_filter '"basePath": "/"' '"basePath": "/{route}"';
            sub_filter '"basePath":"/"' '"basePath":"/{route}"';
        }}
"""

_APP = """
        location = /apps/{route} {{
            return 308 $uri/$is_args$args;
        }}
        location /apps/{route}/ {{
            {upstream}
            proxy_set_header X-Forwarded-Prefix /apps/{route};
            proxy_redirect / /apps/{route}/;
        }}
"""


def nginx_configuration(
    models: Mapping[str, str],
    apps: Mapping[str, str],
    *,
    resolver: str = "",
    port: int = WEB_PORT,
    folder: str = "/tmp",
    gallery_folder: str = "/srv/gallery",
) -> str:
    """Routes and addresses (`host:port`) of models and apps → the text of `nginx.conf`.

    With a `resolver`, names are looked up at each request: a model that is not there is a 502 of its own route,
    and one that was started anew is found at its new address.
    """
    found = f"    resolver {resolver} valid=5s ipv6=off;\n" if resolver else ""
    parts = [
        _HEAD.format(
            folder=folder, resolver=found, port=port, gallery=gallery_folder, read_timeout=READ_TIMEOUT_S
        )
    ]
    for route, address in models.items():
        parts.append(_MODEL.format(route=route, upstream=_upstream(f"/{route}", address)))
    for route, address in apps.items():
        parts.append(_APP.format(route=route, upstream=_upstream(f"/apps/{route}", address)))
    return "".join([*parts, "    }\n}\n"])


def gallery(models: list[Described], apps: list[str]) -> str:
    """The page that says what is behind the door."""
    rows = []
    for model in models:
        name, text = (html.escape(one_line(model.card.get(key, ""))) for key in ("name", "description"))
        app = f' · <a href="/apps/{model.route}/">web app</a>' if model.route in apps else ""
        rows.append(
            f'<li><a href="/{model.route}/">{name or model.name}</a>{app}\n'
            f"<p>{text}</p>\n<code>/{model.route}/model/predict</code></li>"
        )
    items = "\n".join(rows)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Models</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }}
li {{ margin-bottom: 1rem; }} p {{ margin: 0; }}
</style>
</head>
<body>
<h1>Models</h1>
<ul>
{items}
</ul>
</body>
</html>
"""


def _upstream(prefix: str, address: str) -> str:
    """A variable, so that the name is looked up when it is asked for; and the path without its prefix."""
    return (
        f"set $upstream http://{address};\n"
        f"            rewrite ^{prefix}/(.*)$ /$1 break;\n"
        f"            proxy_pass $upstream;"
    )
