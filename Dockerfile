# One image for everything that this project runs. Build it from the checkout: docker compose build
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/rotoscope
COPY tools/get_uv.py tools/get_uv.py
# The machine's own certificates, where a proxy or a mirror has its own.
ENV UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1
RUN python3 tools/get_uv.py /uv/uv && /uv/uv venv --python python3 .venv
COPY requirements.txt requirements-fleet.txt requirements-train.txt ./
# With anything in it, PyTorch too, which trains filters and paints on a GPU, and takes some gigabytes.
ARG PYTORCH=
RUN /uv/uv pip install --no-cache --compile-bytecode --require-hashes -r requirements.txt -r requirements-fleet.txt \
    ${PYTORCH:+-r requirements-train.txt}
COPY pyproject.toml ./
COPY include include
COPY plugins plugins
COPY dags dags
COPY deploy/container deploy/container
COPY deploy/fleet.env deploy/fleet.env
RUN /uv/uv pip install --no-cache --no-deps --editable . && python3 -m compileall -q include plugins dags \
    && rm -rf tools

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates ffmpeg python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 50000 rotoscope \
    && install -d -o rotoscope /data /secrets /opt/airflow \
    # Where the official chart's probes look for it.
    && ln -s /opt/rotoscope/deploy/container/entrypoint.sh /entrypoint
WORKDIR /opt/rotoscope
COPY --from=build /opt/rotoscope /opt/rotoscope
ENV PATH=/opt/rotoscope/.venv/bin:$PATH \
    AIRFLOW_HOME=/opt/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/rotoscope/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/rotoscope/plugins
USER rotoscope
ENTRYPOINT ["/opt/rotoscope/deploy/container/entrypoint.sh"]
