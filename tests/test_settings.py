"""With which settings a community can be opened, and what is derived from its one secret."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app import instance
from app.settings import SAMPLE, Settings

SECRET = "0123456789abcdef" * 2


def given(**more: Any) -> Settings:
    return Settings(**{"secret_key": SECRET, "public_url": "", **more})


@pytest.mark.parametrize("secret", ["", SAMPLE, f"{SAMPLE}-{SECRET}"])
def test_without_a_secret_of_its_own_nothing_is_served(secret: str) -> None:
    refusal = given(secret_key=secret).why_not_start()
    assert refusal is not None
    assert "missing or still the sample" in refusal
    assert SECRET not in refusal


def test_a_secret_has_32_bytes_not_letters() -> None:
    assert "too short" in (given(secret_key="x" * 31).why_not_start() or "")
    assert given(secret_key="x" * 32).why_not_start() is None
    assert given(secret_key="ö" * 16).why_not_start() is None


@pytest.mark.parametrize("url", ["elm.example.org", "ftp://elm.example.org", "javascript:alert(1)"])
def test_an_address_that_no_phone_can_open_is_refused(url: str) -> None:
    assert "PUBLIC_URL" in (given(public_url=url).why_not_start() or "")


@pytest.mark.parametrize("url", ["", "http://elm.local:8000", "https://elm.example.org"])
def test_an_address_is_none_or_one_of_the_web(url: str) -> None:
    assert given(public_url=url).why_not_start() is None


@pytest.mark.parametrize(
    ("url", "tls", "host"),
    [
        ("https://Elm.example.org", True, "elm.example.org"),
        ("HTTPS://elm.example.org:8443/", True, "elm.example.org:8443"),
        ("http://elm.local:8000", False, "elm.local:8000"),
        ("", False, ""),
    ],
)
def test_cookies_know_whether_there_is_tls(url: str, tls: bool, host: str) -> None:
    settings = given(public_url=url)
    assert (settings.behind_tls, settings.public_host) == (tls, host)


def test_each_purpose_has_a_key_of_its_own() -> None:
    settings = given(previous_secret_key="an older one" * 4)
    keys = {settings.key_for(purpose) for purpose in ("join", "session", "device", "")}
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}
    assert settings.key_for("join") == given().key_for("join")
    assert settings.key_for("join") != given(secret_key="y" * 32).key_for("join")


def test_the_key_before_is_that_of_the_secret_before() -> None:
    old, new = given(), given(secret_key="y" * 32, previous_secret_key=SECRET)
    assert new.key_for("join", previous=True) == old.key_for("join")
    assert new.key_for("join", previous=True) != new.key_for("join")


@pytest.mark.parametrize("plain", ["postgres://", "postgresql://", "postgresql+asyncpg://"])
def test_any_address_of_the_database_gets_our_driver(plain: str) -> None:
    url = given(database_url=f"{plain}u@db/elm").database_url
    assert url == "postgresql+asyncpg://u@db/elm"


def test_an_empty_file_name_is_none() -> None:
    assert given(log_file="", clock_file="").log_file is None
    assert given(log_file="a.log").log_file == Path("a.log")


def test_a_setting_that_cannot_be_read_does_not_show_itself() -> None:
    with pytest.raises(ValidationError) as wrong:
        given(port="my-secret")
    assert "my-secret" not in str(wrong.value)


BUCKET = {"s3_bucket": "elm", "s3_access_key": "a", "s3_secret_key": "a secret of theirs"}


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        ({**BUCKET, "s3_endpoint": "https://s3.example.org"}, None),
        ({**BUCKET, "s3_region": "eu-central-1"}, None),
        (BUCKET, "S3_ENDPOINT"),
        ({**BUCKET, "s3_endpoint": "s3.example.org"}, "S3_ENDPOINT"),
        ({**BUCKET, "s3_endpoint": "https://:x"}, "S3_ENDPOINT"),
        ({**BUCKET, "s3_endpoint": "http://[::1]:9000"}, None),
        ({**BUCKET, "s3_endpoint": "https://s3 example.org"}, "S3_ENDPOINT"),
        ({**BUCKET, "s3_endpoint": "http://my_bucket:9000"}, "S3_ENDPOINT"),
        ({**BUCKET, "s3_endpoint": "http://s3..example.org"}, "S3_ENDPOINT"),
        ({**BUCKET, "s3_region": "Frankfurt am Main"}, "S3_REGION"),
        ({**BUCKET, "s3_region": "eu-central-1", "s3_bucket": "elm/photos"}, "S3_BUCKET"),
        ({**BUCKET, "s3_endpoint": "https://s3.example.org", "s3_bucket": ""}, "S3_BUCKET"),
        ({"s3_bucket": "elm", "s3_region": "eu-central-1"}, "S3_ACCESS_KEY"),
        ({**BUCKET, "s3_region": "eu-central-1", "s3_secret_key": ""}, "S3_SECRET_KEY"),
    ],
)
def test_a_bucket_wants_all_that_it_takes(more: dict[str, str], missing: str | None) -> None:
    refusal = given(**more).why_not_start()
    assert (refusal or "").split(" ")[0].rstrip(";.,") == (missing or "")
    assert "secret of theirs" not in (refusal or "")


MAIL = {"smtp_url": "smtp://mail.example.org", "mail_from": "t@example.org"}
ROOT = "https://elm.example.org"


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        ({**MAIL, "public_url": ROOT}, None),
        (MAIL, "PUBLIC_URL"),
        ({**MAIL, "public_url": ROOT, "mail_from": ""}, "MAIL_FROM"),
        ({**MAIL, "public_url": ROOT, "smtp_url": "mail.example.org"}, "SMTP_URL"),
        ({"push_private_key": "A" * 42 + "E"}, None),
        ({"push_private_key": "A" * 42 + "E="}, None),
        ({"push_private_key": "A" * 43}, "PUSH_PRIVATE_KEY"),  # nothing
        ({"push_private_key": "_" * 42 + "8"}, "PUSH_PRIVATE_KEY"),  # beyond the curve
        ({"push_private_key": "A" * 20}, "PUSH_PRIVATE_KEY"),
        ({"push_private_key": "no key!"}, "PUSH_PRIVATE_KEY"),
    ],
)
def test_mail_and_push_say_what_they_lack(more: dict[str, str], missing: str | None) -> None:
    refusal = given(**more).why_not_start()
    assert (refusal or "").split(" ")[0] == (missing or "")
    assert more.get("push_private_key", "no key") not in (refusal or "")


def test_the_demo_is_kept_from_every_setting_of_a_bucket() -> None:
    of_a_bucket = {name.upper() for name in Settings.model_fields if name.startswith("s3_")}
    assert of_a_bucket == set(instance.BUCKET)
