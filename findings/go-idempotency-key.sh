#!/usr/bin/env bash
# In Go the name of a header decides whether a POST is sent twice: Idempotency-Key makes net/http send it again.
#
# One would guess that the header is for the server alone. With it (or X-Idempotency-Key) the transport takes a POST for
# one that may be repeated, and does so when a connection that was used before breaks before an answer; the key is the
# same both times. It is sent within a moment, while the server may still be at work on the first: a server that refuses
# a key in use shows the caller that refusal. On a first connection nothing is sent again.
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
