"""nginx as the door to many models: `/NAME/…` is the model NAME, `/apps/NAME/` its web app, `/` the gallery."""

from __future__ import annotations

import json
from collections.abc import Mapping

from maxfw.web.browser import POLICY, STATIC

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
        application/json json;
    }}

    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;

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

        location / {{
            root {gallery};
            index index.html;
            add_header Content-Security-Policy "{policy}" always;
            add_header X-Content-Type-Options nosniff always;
            add_header Referrer-Policy no-referrer always;
        }}
        error_page 413 /shared/too_large;
        location = /shared/too_large {{
            internal;
            default_type application/json;
            return 413 '{{"status":"error","code":"too_large","message":"the request has more bytes than this model takes","hint":"send less","request_id":"$request_id"}}';
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
            # What the model takes by default: raise it together with the setting of its container.
            client_max_body_size {most_bytes};
            {upstream}
            proxy_redirect / /{route}/;
        }}
        # Where the Swagger page sends what is tried in it; everything else is named relatively.
        location = /{route}/swagger.json {{
            {upstream}
            proxy_set_header Accept-Encoding "";
            sub_filter_types application/json;
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
            proxy_redirect / /apps/{route}/;
        }}
"""


def nginx_configuration(
    models: Mapping[str, str],
    apps: Mapping[str, str],
    *,
    most_bytes: Mapping[str, int],
    resolver: str = "",
    port: int = WEB_PORT,
    folder: str = "/tmp",
    gallery_folder: str = "/srv/gallery",
) -> str:
    """Routes and addresses (`host:port`) of models and apps, and what a model takes → the text of `nginx.conf`.

    With a `resolver`, names are looked up at each request: a model that is not there is a 502 of its own route,
    and one that was started anew is found at its new address.
    """
    found = f"    resolver {resolver} valid=5s ipv6=off;\n" if resolver else ""
    parts = [
        _HEAD.format(
            folder=folder,
            resolver=found,
            port=port,
            gallery=gallery_folder,
            policy=POLICY,
            read_timeout=READ_TIMEOUT_S,
        )
    ]
    for route, address in models.items():
        parts.append(
            _MODEL.format(route=route, upstream=_upstream(f"/{route}", address), most_bytes=most_bytes[route])
        )
    for route, address in apps.items():
        parts.append(_APP.format(route=route, upstream=_upstream(f"/apps/{route}", address)))
    return "".join([*parts, "    }\n}\n"])


def gallery_files(routes: list[str], apps: list[str]) -> dict[str, str]:
    """The page that shows what is behind the door, and `models.json`, its list; the page asks each model for its card."""
    listed = [{"url": f"{route}/"} | ({"app": f"apps/{route}/"} if route in apps else {}) for route in routes]
    files = {
        f"gallery/shared/{file.name}": file.read_text(encoding="utf-8")
        for file in sorted(STATIC.glob("*.*"))
        if file.suffix in (".js", ".css", ".svg")
    }
    page = (STATIC / "gallery.html").read_text(encoding="utf-8")
    return {"gallery/index.html": page, "gallery/models.json": json.dumps(listed, indent=2) + "\n", **files}


def _upstream(prefix: str, address: str) -> str:
    """A variable, so that the name is looked up when it is asked for; and the path without its prefix."""
    return (
        f"set $upstream http://{address};\n"
        f"            rewrite ^{prefix}/(.*)$ /$1 break;\n"
        f"            proxy_pass $upstream;"
    )
