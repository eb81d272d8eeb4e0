"""Words that could not be taken, where their own page has no place for them."""

from __future__ import annotations

from fastapi import Request, Response

from app import pages
from app.errors import Refusal
from app.http import problems


async def typed_again(
    request: Request, refusal: Refusal, words: str, *, field: str, label: str, back: str
) -> Response:
    """A page with the words in a box that sends them to the same address once more.

    A script has them still: for it the refusal goes on as it is.
    """
    if problems.wants_json(request) or problems.is_htmx(request):
        raise refusal
    return await pages.render(
        request,
        "again.html",
        status=refusal.status,
        title=problems.TITLES.get(refusal.status, "Not possible"),
        why_not=refusal,
        post=request.url.path,
        words=words,
        field=field,
        label=label,
        back=back,
    )
