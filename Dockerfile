# A static binary on an image without a shell, run as nobody.
FROM golang:1.26 AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/idp ./cmd/idp && mkdir /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/idp /idp
COPY --from=build --chown=nonroot:nonroot /out/data /data
ENV IDP_DATA_DIR=/data IDP_LISTEN=:8080
VOLUME /data
EXPOSE 8080
USER nonroot
ENTRYPOINT ["/idp"]
CMD ["serve"]
