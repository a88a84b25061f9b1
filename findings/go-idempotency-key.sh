#!/usr/bin/env bash
# Go's net/http repeats a POST on its own if it has an Idempotency-Key.
#
# One would expect that the header is for the server alone. With it (or X-Idempotency-Key) the transport treats a POST
# as safe to repeat, and repeats it when a reused connection breaks before the answer, with the same key. It does so at
# once, while the server may still be working on the first request: if the server refuses a key that is in use, the
# caller sees that refusal. On a first connection it repeats nothing.
# Recorded with Go 1.19.8 of Debian 12.
. "$(dirname "$0")/lib/common.sh"
need go golang-go
go version

cat >"$folder/post.go" <<'GO'
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func main() {
	if os.Args[1] == "reused" {
		answer, err := http.Get(os.Getenv("URL"))
		if err != nil {
			log.Fatal(err)
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	request, _ := http.NewRequest("POST", os.Getenv("URL"), strings.NewReader("x=1"))
	if os.Args[2] == "key" {
		request.Header.Set("Idempotency-Key", "order-1")
	}
	if _, err := http.DefaultClient.Do(request); err != nil {
		log.Fatal(err)
	}
}
GO
(cd "$folder" && GO111MODULE=off GOCACHE="$folder/cache" go build -o post post.go)

for how in fin rst; do
    echo "the connection ends by $how:"
    run $how 1 "$folder/post" reused plain
    expect "  no key, connection of a GET before" 1
    run $how 1 "$folder/post" fresh key
    expect "  Idempotency-Key, first connection" 1
    run $how 1 "$folder/post" reused key
    expect "  Idempotency-Key, connection of a GET before" 2
done
conclude
