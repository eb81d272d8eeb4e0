"""What one socket, one person and one address may cost."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes are bytes, durations seconds; whoever goes beyond is closed with the code beside it."""

    buffer_bytes: int = 256 * 1024  # in one write; a reader that has not got all of it is "behind"
    drain_within: float = 30.0  # for who is behind to read anything at all: 1013
    message_bytes: int = 16_384  # from a browser: 1009
    messages_a_second: int = 20  # 1008
    topics: int = 512  # that one socket watches: 1008
    sockets_a_person: int = 50  # 1008
    sockets_an_address: int = 1000  # a whole house sits behind one: 1008
    ping_every: float = 20.0  # whoever has not answered by the next ping is gone: 1011
    beat_every: float = 10.0
    compare_every: float = 2.0
    here_for: float = 7.0  # after a page's last word, which it says every 3
    typing_for: float = 5.0  # every 2


# Why a socket is closed.
UNSUPPORTED, POLICY, TOO_BIG, RESTART, TRY_LATER, SIGNED_OUT = 1003, 1008, 1009, 1012, 1013, 4401
