# Builds the binary, with the toolchain and the libraries' headers.
FROM swift:6.3-bookworm AS build
RUN apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
        libcurl4-openssl-dev libevent-dev libgoogle-perftools-dev libjpeg-dev liblcms2-dev libpng-dev libpq-dev \
        libsqlite3-dev libssl-dev libwebp-dev libxxhash-dev pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/src/.build \
    swift build -c release --product kling-gateway --static-swift-stdlib \
    && mkdir /out \
    && objcopy --only-keep-debug .build/release/kling-gateway /out/kling-gateway.debug \
    && strip --strip-all .build/release/kling-gateway -o /out/kling-gateway \
    && objcopy --add-gnu-debuglink=/out/kling-gateway.debug /out/kling-gateway

# The debug symbols of the binary: docker build --target symbols -o symbols .
FROM scratch AS symbols
COPY --from=build /out/kling-gateway.debug /

# The file system of the image: the binary, the shared libraries that it needs, and the certificates.
FROM debian:bookworm-slim AS runtime
RUN apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get upgrade -q -y \
    && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
        ca-certificates libcurl4 libevent-core-2.1-7 libjpeg62-turbo liblcms2-2 libpng16-16 libpq5 libsqlite3-0 \
        libssl3 libstdc++6 libtcmalloc-minimal4 libwebp7 libxxhash0 zlib1g
COPY --from=build /out/kling-gateway /usr/local/bin/
WORKDIR /image
# The binary loads libpq itself, and only for a store in PostgreSQL, so ldd does not name it.
RUN libpq=$(ldconfig -p | grep -o '/.*/libpq\.so\.5$') \
    && { echo "$libpq"; ldd /usr/local/bin/kling-gateway; ldd "$libpq"; } | grep -o '/[^ ]*' | sort -u \
        | xargs cp -L --parents --target-directory . \
    && cp --parents /usr/local/bin/kling-gateway /etc/nsswitch.conf /etc/os-release /etc/ssl/certs/ca-certificates.crt . \
    && echo 'kling-gateway:x:10001:10001::/var/lib/kling-gateway:/sbin/nologin' >etc/passwd \
    && echo 'kling-gateway:x:10001:' >etc/group \
    && install -d -m 1777 tmp \
    && install -d -o 10001 -g 10001 -m 0700 var/lib/kling-gateway

# The image itself: 91 MB, without a shell or a package manager.
FROM scratch
COPY --from=runtime /image /
ENV PATH=/usr/local/bin
USER 10001:10001
VOLUME /var/lib/kling-gateway
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=5s CMD ["kling-gateway", "healthcheck"]
ENTRYPOINT ["kling-gateway"]
CMD ["serve"]
