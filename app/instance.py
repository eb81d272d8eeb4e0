"""What an instance keeps on this machine: its folder, of which kind it is, and its key."""

import os
import secrets
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from app.child import StartError, claim

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("demo", "own")
BUCKET = ("S3_BUCKET", "S3_ENDPOINT", "S3_REGION", "S3_ACCESS_KEY", "S3_SECRET_KEY")


def folder_of(kind: str) -> Path:
    return Path(os.environ.get("DATA_DIR") or ROOT / ".data" / kind).absolute()


def occupy(folder: Path, kind: str) -> int:
    """Takes the folder for this kind, for as long as the returned descriptor is held."""
    refuse_other(folder, kind)
    lock = claim(folder, patience=1, refusal=_is_running(folder))
    (folder / f"is-{kind}").touch()
    return lock


def refuse_other(folder: Path, kind: str) -> None:
    """A folder of the other kind, or with something else in it, is never touched."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    for other in KINDS:
        if other != kind and f"is-{other}" in names:
            mine = "bin/run" if other == "own" else "bin/demo"
            raise StartError(
                f"{folder} holds the data of {mine}: name another folder in DATA_DIR, or none."
            )
    if names - {"lock"} and f"is-{kind}" not in names:
        raise StartError(f"{folder} holds something else: name an empty folder in DATA_DIR.")


def environment(kind: str, folder: Path) -> dict[str, str]:
    """What the children see. The demo knows only servers of its own."""
    env = dict(os.environ)
    for name in ("DATABASE_URL", "REDIS_URL", "REDIS_PREFIX", "DEMO", *BUCKET):
        if kind == "demo" or not env.get(name) or name == "DEMO":
            env.pop(name, None)
    metrics = folder / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)  # counts of processes that are gone
    metrics.mkdir(exist_ok=True)
    env |= {"DATA_DIR": str(folder), "PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    env["SECRET_KEY"] = secret_key(folder, env)
    env.setdefault("REDIS_PREFIX", "toolshare")
    return env | ({"DEMO": "1"} if kind == "demo" else {})


def secret_key(folder: Path, env: Mapping[str, str]) -> str:
    """The given one, else one made once and kept."""
    if given := env.get("SECRET_KEY"):
        if given.startswith("change-me") or len(given.encode()) < 32:
            raise StartError(
                "SECRET_KEY is the sample or too short: give 32 random bytes or more, or none, "
                "and one is made and kept."
            )
        return given
    path, fresh = folder / "secret", folder / "secret.new"
    if not path.exists():
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        fresh.rename(path)
    path.chmod(0o600)
    return path.read_text().strip()


def reset(kind: str, *, sure: bool, ask: Callable[[str], str] = input) -> str:
    """Empties the instance's folder after asking; returns what came of it, in one sentence."""
    folder = folder_of(kind)
    refuse_other(folder, kind)
    if not (folder / f"is-{kind}").exists():
        return f"Nothing to empty: there is nothing in {folder}."
    lock = claim(folder, patience=1, refusal=_is_running(folder))
    try:
        if kind == "own":
            agreed = ask(f"{folder}: ALL of your community's data go. Type own to empty it: ")
            sure = agreed.strip() == "own"
        elif not sure:
            sure = ask(f"Empty the demo in {folder}? y/N ").strip().lower() in ("y", "yes")
        if not sure:
            return "Nothing was changed."
        shutil.rmtree(folder)
        return f"{folder} is emptied; nothing that DATABASE_URL or S3_BUCKET name was touched."
    finally:
        os.close(lock)


def _is_running(folder: Path) -> str:
    address = folder / "address"
    where = f" at {address.read_text()}" if address.exists() else ""
    return f"It is running{where} already, on {folder}: stop that one first, with Ctrl-C."


def main(arguments: list[str]) -> int:
    """bin/reset [demo|own] [--yes]"""
    kinds = [each for each in arguments if each != "--yes"] or ["demo"]
    if len(kinds) != 1 or kinds[0] not in KINDS:
        print("usage: bin/reset [demo|own] [--yes]", file=sys.stderr)
        return 2
    with suppress(EOFError, KeyboardInterrupt):
        try:
            print(reset(kinds[0], sure="--yes" in arguments))
        except (StartError, OSError) as error:
            print(error, file=sys.stderr)
            return 1
        return 0
    print("\nNothing was changed.")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
