"""What was taken from elsewhere is what its manifest says, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json

from app.pages import WEB

VENDOR = WEB / "static" / "vendor"


def test_every_vendored_file_is_in_the_manifest_with_its_hash() -> None:
    manifest = json.loads((VENDOR / "MANIFEST.json").read_text())
    listed = {name: entry for entry in manifest["files"] for name in [entry["file"]]}
    there = {str(file.relative_to(VENDOR)) for file in VENDOR.rglob("*") if file.is_file()}
    licences = {name for name in there if "LICENSE" in name or "NOTICE" in name}
    assert there - licences - {"MANIFEST.json"} == set(listed)
    for name, entry in listed.items():
        digest = hashlib.sha384((VENDOR / name).read_bytes()).digest()
        assert entry["sha384"].removeprefix("sha384-") == base64.b64encode(digest).decode(), name
        assert entry["licence"]
        assert entry["version"]
