# One image for everything that this project runs. Build it from the checkout: docker compose build
FROM debian:bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/rotoscope
COPY requirements.txt ./
RUN python3 -m venv .venv && .venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt
COPY pyproject.toml ./
COPY include include
COPY plugins plugins
RUN .venv/bin/pip install --no-cache-dir --no-deps --editable .

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates ffmpeg python3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 50000 rotoscope \
    && install -d -o rotoscope /data
WORKDIR /opt/rotoscope
COPY --from=build /opt/rotoscope /opt/rotoscope
ENV PATH=/opt/rotoscope/.venv/bin:$PATH
USER rotoscope
