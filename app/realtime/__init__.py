"""The live engine: a region is a topic, a version and a way to draw it. See README.md."""

from app.realtime.door import Life
from app.realtime.engine import Engine
from app.realtime.limits import Limits
from app.realtime.presence import Present
from app.realtime.topics import Drawn, Faces, Items, Listener, Reset, Topics, TwoFaces, stamp
from app.realtime.versions import bump, touch

__all__ = [
    "Drawn",
    "Engine",
    "Faces",
    "Items",
    "Life",
    "Limits",
    "Listener",
    "Present",
    "Reset",
    "Topics",
    "TwoFaces",
    "bump",
    "stamp",
    "touch",
]
