# The service and its worker in one small image; it runs as nobody in particular and writes to
# /data alone, so that its root may be read-only.
FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.txt /tmp/
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --require-hashes --requirement /tmp/requirements.txt

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data clientele && install -d -o clientele -m 0700 /data
COPY --from=build /opt/venv /opt/venv
COPY manage.py /srv/clientele/
COPY project /srv/clientele/project
COPY templates /srv/clientele/templates
COPY customers /srv/clientele/customers
RUN rm -rf /srv/clientele/customers/tests && /opt/venv/bin/python -m compileall -q /srv/clientele
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DATA_DIR=/data BIND=0.0.0.0:8000
WORKDIR /srv/clientele
USER 10001
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-c", \
    "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]
CMD ["python", "-m", "project.server"]
