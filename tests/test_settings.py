"""One table of settings: environment, flags and docs agree, and a wrong value is said at once."""

from __future__ import annotations

import logging
import resource
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from maxfw.cli import main
from maxfw.errors import BadSetting
from maxfw.server import MOST_CONNECTIONS, most_connections
from maxfw.settings import Settings, check_tls, describe, environment_name, fields, load_settings


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load_settings({}) == Settings()


def test_flags_win_over_the_environment_which_wins_over_defaults() -> None:
    environ = {"MAXFW_PORT": "7000", "MAXFW_HOST": ""}

    assert load_settings(environ).port == 7000
    assert load_settings(environ, port=8000).port == 8000
    assert load_settings(environ, port=None).port == 7000
    assert load_settings(environ, defaults={"host": "0.0.0.0", "port": 1}) == load_settings(
        environ, host="0.0.0.0"
    )


@pytest.mark.parametrize(
    ("variable", "value", "field", "read"),
    [
        ("MAXFW_OFFLINE", "yes", "offline", True),
        ("MAXFW_OFFLINE", "0", "offline", False),
        ("MAXFW_MAX_IMAGE_MB", "1.5", "max_image_mb", 1.5),
        ("MAXFW_CORS", "https://a.example", "cors", "https://a.example"),
        ("CORS_ENABLE", "true", "cors", "*"),
        ("CORS_ENABLE", "false", "cors", ""),
        ("CORS_ENABLE", "https://a.example,https://b.example", "cors", "https://a.example,https://b.example"),
        ("MAXFW_LOG_LEVEL", "debug", "log_level", "debug"),
    ],
)
def test_a_variable_sets_its_field(variable: str, value: str, field: str, read: object) -> None:
    assert getattr(load_settings({variable: value}), field) == read


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MAXFW_PORT", "70000"),
        ("MAXFW_PORT", "http"),
        ("MAXFW_WORKERS", "0"),
        ("MAXFW_OFFLINE", "perhaps"),
        ("MAXFW_LOG_LEVEL", "loud"),
        ("MAXFW_PREDICT_TIMEOUT_S", "-1"),
        ("MAXFW_MAX_JSON_DEPTH", "100000"),
    ],
)
def test_a_wrong_value_names_variable_value_and_meaning(variable: str, value: str) -> None:
    with pytest.raises(BadSetting) as error:
        load_settings({variable: value})

    assert variable in error.value.message
    assert repr(value) in error.value.message
    assert error.value.hint


@pytest.mark.parametrize("value", ["inf", "nan", "1e300"])
@pytest.mark.parametrize(
    "name",
    [field.name for field in fields() if isinstance(field.type.type, msgspec.inspect.FloatType)],  # type: ignore[attr-defined]
)
def test_no_number_is_without_an_end(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=environment_name(name)):
        load_settings({environment_name(name): value})


def test_a_misspelt_variable_is_warned_of_once_and_the_likely_one_is_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "maxfw"):
        for _ in range(2):
            assert load_settings({"MAXFW_WORKER": "2"}) == Settings()

    assert caplog.messages == ["MAXFW_WORKER is no setting; did you mean MAXFW_WORKERS?"]


def test_variables_of_others_and_of_our_own_machinery_are_not_warned_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    load_settings(
        {"MAXFW_WORKER_SOCKET": "3", "MAXFW_REQUIRE_MIRROR": "1", "PATH": "/bin", "MAXFW_PORT": "1"}
    )

    assert caplog.messages == []


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"tls_key": "file"}, "MAXFW_TLS_KEY"),
        ({"tls_client_ca": "file"}, "MAXFW_TLS_CLIENT_CA"),
        ({"tls_cert": "file"}, "MAXFW_TLS_CERT"),
        ({"tls_cert": "missing", "tls_key": "file"}, "MAXFW_TLS_CERT='missing' cannot be read: No such file"),
        ({"tls_cert": "file", "tls_key": "."}, "MAXFW_TLS_KEY='.' cannot be read: Is a directory"),
        ({"tls_cert": "file", "tls_key": "file"}, "are no certificate and its key"),
    ],
)
def test_https_needs_a_certificate_and_its_key(
    given: dict[str, str], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not PEM", encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    with pytest.raises(BadSetting) as refused:
        check_tls(load_settings({}, **given))

    assert named in refused.value.message
    assert refused.value.hint


def test_plain_http_needs_no_files() -> None:
    check_tls(Settings())
    assert (Settings().scheme, Settings(tls_cert="c").scheme) == ("http", "https")


def test_connections_are_bounded_by_the_files_that_a_process_may_open() -> None:
    assert most_connections(resource.RLIM_INFINITY) == MOST_CONNECTIONS
    assert most_connections(1_000_000) == MOST_CONNECTIONS
    assert most_connections(1024) == 768
    assert most_connections(64) == 128


@pytest.mark.parametrize("field", fields(), ids=lambda field: field.name)
def test_every_setting_has_a_meaning_and_a_flag(field: object) -> None:
    name = str(field.name)  # type: ignore[attr-defined]
    text = " ".join(CliRunner().invoke(main, ["serve", "--help"], terminal_width=4000).output.split())

    assert describe(name)
    assert "--" + name.replace("_", "-") in text
    assert environment_name(name) in text
