#!/usr/bin/env bash
# Runs the parsers under libFuzzer and the address sanitizer: run.sh [SECONDS]. The targets run one after the other and
# share the given time. Each leaves its log, its corpus and its findings in .build-fuzz/TARGET. The program `fuzz` there
# replays a finding: fuzz FILE. The exit code is 1 if there are findings.
set -euo pipefail
cd "$(dirname "$0")/../.."
targets=(HTTP Answer JSON Multipart Base64)
# With a time of 0, libFuzzer would run forever.
seconds=$((${1:-600} / ${#targets[@]}))
if ((seconds < 1)); then seconds=1; fi
build=.build-fuzz
mkdir -p "$build"

compile() {
    local feature options=()
    for feature in ExistentialAny InternalImportsByDefault MemberImportVisibility NonisolatedNonsendingByDefault; do
        options+=(-enable-upcoming-feature "$feature")
    done
    # The gold linker would warn about symbols of the sanitizer.
    if [[ $(uname) == Linux ]]; then options+=(-use-ld=lld); fi
    swiftc -swift-version 6 -parse-as-library -sanitize=fuzzer,address -O "${options[@]}" -I "$build" "$@"
}

# Each target is one module together with its parser, so that it can use internal declarations.
build() {
    local target=$1 module=$2
    shift 2
    echo "building $target"
    compile -module-name "$module" -o "$build/$target/fuzz" Tests/Fuzz/Expect.swift "Tests/Fuzz/$target"*.swift "$@"
}

run() {
    local target=$1 folder="$build/$1"
    mkdir -p "$folder/corpus"
    echo "fuzzing $target for $seconds s"
    "$folder/fuzz" -max_len=1024 -timeout=10 -max_total_time="$seconds" -print_final_stats=1 \
        -artifact_prefix="$folder/" "$folder/corpus" "Tests/Fuzz/Corpus/$target" >"$folder/log" 2>&1
}

# Prints the number after the last "NAME" in a log.
last() { grep -aoE "$1 +[0-9]+" "$2" | tail -1 | grep -oE '[0-9]+$' || echo 0; }

for target in "${targets[@]}"; do mkdir -p "$build/$target"; done
parsers=(HTTPMethod HTTPRequestHead HTTPHeaders ByteRules HeadParser MessageRules TargetRules ChunkedDecoder)
build HTTP HTTPServer $(printf 'Sources/HTTPServer/%s.swift ' "${parsers[@]}")
parsers=(AnswerParser AnswerFault BodyFraming ChunkReader StatusLine)
build Answer HTTPClient Sources/HTTPClient/HTTPClient{Headers,Configuration}.swift \
    $(printf 'Sources/HTTPClient/HTTP1/%s.swift ' "${parsers[@]}")
echo "building Base"
compile -wmo -emit-module -emit-module-path "$build/Base.swiftmodule" -emit-object -o "$build/Base.o" \
    -module-name Base Sources/Base/*.swift
build JSON KlingAPI "$build/Base.o" Sources/KlingAPI/JSON/*.swift Sources/KlingAPI/Base64.swift
build Base64 KlingAPI "$build/Base.o" Sources/KlingAPI/JSON/*.swift Sources/KlingAPI/Base64.swift
multipart=(FieldParameters FormCharset FormData FormDelimiter FormError FormPartHead)
build Multipart Gateway "$build/Base.o" $(printf 'Sources/Gateway/Multipart/%s.swift ' "${multipart[@]}")

status=0
report=()
for target in "${targets[@]}"; do
    found=nothing
    run "$target" || {
        status=1
        found=$(ls -t "$build/$target" | grep -m1 -E '^(crash|leak|oom|timeout)-' || echo "an error, see its log")
        grep -aE 'Fatal error|ERROR: |Test unit written|^Base64:' "$build/$target/log" || true
    }
    executions=$(last 'number_of_executed_units:' "$build/$target/log")
    coverage=$(last 'cov:' "$build/$target/log")
    report+=("$(printf '%-9s %10d executions, coverage %5d, found %s' "$target" "$executions" "$coverage" "$found")")
done
printf '%s\n' "${report[@]}"
exit "$status"
