# One image for every service of compose.yaml. Built in two stages, so that what runs has no compiler,
# no pip and no test; the versions are those of requirements/lastgood.txt, checked by their hashes.
# Build it at a tag of your own: docker build --tag lastgood:0.1.0 .

FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv --without-pip /opt/lastgood/venv
COPY requirements/lastgood.txt /tmp/lastgood.txt
RUN python -m pip --python /opt/lastgood/venv/bin/python install \
    --require-hashes --only-binary :all: --requirement /tmp/lastgood.txt
WORKDIR /opt/lastgood
COPY manage.py ./
COPY accounts accounts
COPY dashboard dashboard
COPY rollbacks rollbacks
COPY static static
COPY templates templates
# The keys are for this command only; the image has none, and does not start without.
RUN LASTGOOD_SECRET_KEY=build LASTGOOD_DATABASE_URL=postgresql://build \
    venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && venv/bin/python -m compileall -q accounts dashboard rollbacks manage.py

FROM python:3.11-slim-bookworm
ENV PATH=/opt/lastgood/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TMPDIR=/scratch \
    LASTGOOD_STATE_DIR=/nowhere \
    LASTGOOD_LOG_FORMAT=json
# Artifacts on their way to a host are files without a name there; /tmp may be memory.
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin lastgood \
    && install --directory --owner lastgood --group lastgood /scratch
COPY --from=build /opt/lastgood /opt/lastgood
WORKDIR /opt/lastgood
USER lastgood
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["python", "manage.py", "serve", "--host", "0.0.0.0"]
