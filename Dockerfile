# The collector. Run with a volume on /var/lib/farthing: accepted spans wait there.
FROM python:3.13.16-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_CONSTRAINT=constraints.txt \
    PIP_BUILD_CONSTRAINT=constraints.txt
WORKDIR /src
RUN python -m venv /opt/farthing
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY instrumentation instrumentation
COPY collector collector
COPY dashboards dashboards
COPY alerts alerts
RUN /opt/farthing/bin/pip install '.[collector]'

FROM python:3.13.16-slim-bookworm
# A container is reached from outside it only if it listens on every address, and the
# collector does that only with FARTHING_TOKEN set: without one it says so and stops.
ENV PATH=/opt/farthing/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    FARTHING_DATA_DIR=/var/lib/farthing \
    FARTHING_HTTP_LISTEN=0.0.0.0:4318 \
    FARTHING_GRPC_LISTEN=0.0.0.0:4317 \
    FARTHING_WEB_LISTEN=0.0.0.0:4319
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin farthing \
    && install --directory --owner farthing --group farthing --mode 0750 /var/lib/farthing
COPY --from=build /opt/farthing /opt/farthing
USER 10001:10001
WORKDIR /var/lib/farthing
VOLUME /var/lib/farthing
EXPOSE 4317 4318 4319
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:4318/readyz', timeout=4)"]
ENTRYPOINT ["farthing"]
CMD ["up"]
