# One image; the command picks what it does: up (everything in one container), serve, work, migrate, doctor ...
# See docs/deploy.md.
FROM python:3.11-slim

RUN useradd --create-home --uid 10001 quizmill && install --directory --owner quizmill /data

WORKDIR /src
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY service service
COPY jobs jobs
COPY web web
RUN pip install --no-cache-dir --constraint constraints.txt .

USER quizmill
WORKDIR /data
ENV QUIZMILL_DATA_DIR=/data QUIZMILL_LOG_FORMAT=json
VOLUME /data
ENTRYPOINT ["quizmill"]
CMD ["up"]
