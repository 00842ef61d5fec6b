# Relance in an image that holds the program, certificate authorities, and nothing
# else: no shell, no root, nothing to write to. The dashboard is part of the
# repository as it was built, so that Go alone builds everything.
FROM golang:1.26.10-trixie AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# The revision becomes the build's id for worker versioning; there is no repository
# here to take it from, so TEMPORAL_WORKER_BUILD_ID has to say it.
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w" -o /out/relance ./cmd/relance
# What the simulator keeps its ledger in belongs to the user that runs it.
RUN mkdir -p /out/data && chown 65532:65532 /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build /out/relance /usr/local/bin/relance
ENV PATH=/usr/local/bin HTTP_ADDR=:8080 INTERNAL_ADDR=:9090
USER 65532:65532
EXPOSE 8080 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=60s --retries=3 CMD ["relance", "health"]
ENTRYPOINT ["relance"]
CMD ["serve"]
