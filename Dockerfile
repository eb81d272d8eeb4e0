# One file, two images: `test` runs pytest, `web` (the last, so the default) serves.
FROM python:3.13-slim AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_ROOT_USER_ACTION=ignore
# The folders belong to the user, so that empty volumes mounted there do too.
RUN groupadd --gid 10001 toolshare \
 && useradd --uid 10001 --gid toolshare --no-create-home --home-dir /tmp --shell /usr/sbin/nologin toolshare \
 && install -d -o toolshare -g toolshare -m 0750 /var/lib/toolshare /var/log/toolshare
WORKDIR /app
COPY requirements.txt .
# PostgreSQL and Redis are containers of their own here: their wheels stay out.
RUN --mount=type=cache,target=/root/.cache/pip \
    sed '/not needed in containers/,/^$/d' requirements.txt > /tmp/requirements.txt \
 && pip install --compile -r /tmp/requirements.txt \
 && rm /tmp/requirements.txt


FROM base AS test
COPY tests/requirements.txt /tmp/
# The app's own list is installed already, and names the wheels that stay out.
RUN --mount=type=cache,target=/root/.cache/pip \
    sed -i '/^-r /d' /tmp/requirements.txt \
 && pip install --compile -r /tmp/requirements.txt \
 && rm /tmp/requirements.txt
COPY . .
ENV PYTHONPATH=/app
USER toolshare
CMD ["pytest"]


FROM base AS web
COPY . .
RUN python -m compileall -q app
ENV PORT=8000 \
    DATA_DIR=/var/lib/toolshare \
    LOG_FILE=/var/log/toolshare/web.log
USER toolshare
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=8s --start-period=60s --retries=6 \
    CMD ["python", "-m", "app.http.health"]
CMD ["uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--loop", "uvloop", "--http", "app.http.wire:BoundedHttp", "--ws", "app.realtime.frames:FrameProtocol", \
     "--ws-max-size", "16384", "--no-access-log", "--no-proxy-headers", \
     "--timeout-graceful-shutdown", "25", "--timeout-worker-healthcheck", "30"]
