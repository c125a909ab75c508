"""`maxfw key`: a new API key, and what the server is told of it."""

from __future__ import annotations

import hashlib
import secrets

import click

BYTES = 32  # of randomness: nobody guesses 256 bits, so a plain sha256 is as good as a slow one


@click.command("key")
@click.option("--of", "known", metavar="KEY", help="Print the sha256 of a key that exists already.")
def command(known: str | None) -> None:
    """Make an API key: one line for the client, one for the server, which keeps only its sha256.

    \b
    Examples:
      maxfw key
      MAXFW_API_KEYS=sha256:… maxfw serve
      curl -H 'X-API-Key: …' -F image=@photo.jpg http://localhost:5000/model/predict
    """
    key = known or secrets.token_urlsafe(BYTES)
    digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()
    if known is None:
        click.echo(f"for the client:  X-API-Key: {key}")
    click.echo(f"for the server:  MAXFW_API_KEYS=sha256:{digest}")
