"""Every table there is: what the migrations are compared with."""

from sqlalchemy import MetaData

import app.chat.models
import app.http.models
import app.inventory.models
import app.loans.feed
import app.loans.incident
import app.loans.models
import app.loans.papers
import app.loans.proposal
import app.notices.deliveries
import app.notices.models
import app.notices.preferences
import app.people.letters
import app.people.models
import app.queue
import app.tools.models
import app.tools.photo
import app.tools.place
import app.tools.saved
import app.tools.upkeep
import app.tools.watches
import app.tools.wishes
import app.wanted.models  # noqa: F401
from app.db import Base
from app.realtime import versions


def everything() -> list[MetaData]:
    return [Base.metadata, versions.metadata]
