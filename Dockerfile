# The image of one service: docker build --build-arg SERVICE=gateway -t posthorn/gateway .
# (gateway, event-ingest, dispatcher or config). What it holds is made by `npm run bundle`: one file. tools/src/images
# runs these very steps in a test.

FROM node:24.21.0-slim AS build
WORKDIR /src
COPY . .
RUN npm ci
ARG SERVICE
RUN npm run bundle -- "$SERVICE"
RUN mv "dist/images/$SERVICE" /app

FROM node:24.21.0-slim
ENV NODE_ENV=production
# Inside of a container, everything that is published is reached from outside of it.
ENV POSTHORN_HOST=0.0.0.0 POSTHORN_GRPC_HOST=0.0.0.0 POSTHORN_ADMIN_HOST=0.0.0.0
COPY --from=build /app /app
WORKDIR /app
# Nobody in particular; it writes nothing, so the file system may be read-only.
USER 65532:65532
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --start-interval=1s --retries=3 CMD ["node", "/app/main.js", "--healthcheck"]
# kafkajs makes Node print a warning that means nothing.
ENTRYPOINT ["node", "--disable-warning=TimeoutNegativeWarning", "/app/main.js"]
