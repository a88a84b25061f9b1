#!/usr/bin/env bash
# Runs the HTTP parsers under libFuzzer and the address sanitizer: run.sh [SECONDS]. Findings are left in .build-fuzz.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p .build-fuzz/corpus
parsers=(HTTPMethod HTTPRequestHead HTTPHeaders ByteRules HeadParser MessageRules TargetRules ChunkedDecoder)
sources=("${parsers[@]/#/Sources/HTTPServer/}")
sources=("${sources[@]/%/.swift}")
swiftc -swift-version 6 -parse-as-library -sanitize=fuzzer,address -O -module-name Fuzz -o .build-fuzz/fuzz \
    "${sources[@]}" Tests/Fuzz/Main.swift
cd .build-fuzz
exec ./fuzz -max_len=1024 -max_total_time="${1:-600}" -print_final_stats=1 corpus ../Tests/Fuzz/Corpus
