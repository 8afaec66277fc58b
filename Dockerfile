# The site, the worker and beat: one image, the command decides. See docker-compose.yml.
FROM python:3.13-slim AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements.lock .
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY . .
RUN /venv/bin/pybabel compile --directory salesconnect/locale --domain django \
    && /venv/bin/python -m compileall -q . \
    && SALESCONNECT_DATA=/tmp/build /venv/bin/python manage.py gather_static \
    && rm -rf /tmp/build

FROM python:3.13-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin salesconnect \
    && install --directory --owner salesconnect --mode 700 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER salesconnect
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=salesconnect.settings \
    SALESCONNECT_DATA=/data \
    BIND=0.0.0.0 \
    PORT=8000
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "-c", "python:salesconnect.serving.gunicorn_conf", "salesconnect.wsgi"]
