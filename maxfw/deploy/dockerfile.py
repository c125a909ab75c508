"""The Dockerfile of a model's image.

It is the same for `maxfw build`, which sends the weights along, and for `docker build` in the model's folder, where
they are downloaded. Card and folder are other people's text: in the Dockerfile they stand in quotes or not at all.
"""

from __future__ import annotations

import re

from maxfw.deploy.described import BASE, Described, labels

WEIGHTS = "/opt/maxfw/weights"
SENT_WEIGHTS = ".maxfw-weights"
"""The folder of a build context in which weights travel."""

_REQUIREMENTS = """
COPY requirements*.txt ./
RUN pip install --requirement requirements.txt
"""

_FROM_BASE = re.compile(
    rf"^(?P<before>\s*FROM\s+(?:--platform=\S+\s+)?)(?:\S+/)?{BASE}(?::(?P<tag>\S+))?(?=\s|$)",
    re.IGNORECASE | re.MULTILINE,
)


def dockerfile(model: Described, base: str) -> str:
    """The text of the Dockerfile whose context is the model's folder."""
    written = _old_style(model, base) if model.folder.is_old_style else _new_style(model, base)
    pairs = [f"LABEL {quoted(key)}={quoted(value)}" for key, value in labels(model).items()]
    return "\n".join([written.rstrip(), *pairs, "USER 10001"]) + "\n"


def quoted(text: str) -> str:
    r"""A text as a word in double quotes, where nothing is read as a variable, an escape or the end of a line.

    >>> print(quoted('a "b" $HOME \\'))
    "a \"b\" \$HOME \\"
    """
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError(f"{text!r} is not one line")
    return '"' + re.sub(r'(["$\\])', r"\\\1", text) + '"'


def on_our_base(text: str, base: str) -> tuple[str, str]:
    """A folder's own Dockerfile and the base that it starts from, if that is one of ours.

    An address of 2019, like `FROM quay.io/codait/max-base:v1.4.0`, is replaced by `base`; a tag of today's,
    like `FROM max-base:onnx`, stays.
    """
    bases: list[str] = []

    def replace(match: re.Match[str]) -> str:
        tag = match["tag"] or "latest"
        bases.append(base if re.match(r"v?\d", tag) or "/" in match[0].split()[-1] else f"{BASE}:{tag}")
        return match["before"] + bases[-1]

    return _FROM_BASE.sub(replace, text), bases[0] if bases else ""


def _new_style(model: Described, base: str) -> str:
    place = f"/workspace/{model.route}"
    return f"""\
# Written by maxfw build; the context is the model's folder.
ARG BASE={base}
FROM ${{BASE}} AS requirements
USER root
WORKDIR {place}
{_requirements(model)}
FROM requirements AS weights
COPY . ./
# Each file is used only if its sha256 is the one that the model states.
RUN MAXFW_ASSETS_MIRROR={SENT_WEIGHTS} maxfw fetch . --to {WEIGHTS} && rm -rf {SENT_WEIGHTS}

FROM requirements
COPY --from=weights {WEIGHTS} {WEIGHTS}
COPY --from=weights {place} ./
ENV MAXFW_ASSETS_DIR={WEIGHTS} MAXFW_OFFLINE=1
"""


def _old_style(model: Described, base: str) -> str:
    sums = (
        "RUN sha512sum --check sha512sums.txt\n" if (model.folder.path / "sha512sums.txt").is_file() else ""
    )
    return f"""\
# Written by maxfw build; the context is the repository's folder.
ARG BASE={base}
FROM ${{BASE}}
USER root
WORKDIR /workspace
{_requirements(model)}
COPY . ./
{sums}CMD ["python", "app.py"]
"""


def _requirements(model: Described) -> str:
    has_them = model.folder.path.is_dir() and (model.folder.path / "requirements.txt").is_file()
    return _REQUIREMENTS.strip() + "\n" if has_them else ""
