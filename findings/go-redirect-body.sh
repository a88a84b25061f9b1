#!/usr/bin/env bash
# Go's net/http does not follow a 307 if the body is a file, and reports no error.
#
# A redirect with 307 asks for the same POST elsewhere. One would expect the client to follow it, as it does with a body
# from memory, or to fail. With a body from a file, a pipe or a multipart writer, which cannot be read again, Do returns
# the 307 itself with a nil error: a program that checks the error alone takes it for success, and nothing was done.
# http.NewRequest knows only bytes.Buffer, bytes.Reader and strings.Reader; GetBody makes any other body repeatable.
# Recorded with Go 1.19 of Debian 12.
. "$(dirname "$0")/lib/common.sh"
need go golang-go
need python3 python3
go version

cat >"$folder/main.go" <<'GO'
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	path := os.Args[2]
	data, _ := os.ReadFile(path)
	var body io.Reader = bytes.NewReader(data)
	if os.Args[1] != "memory" {
		body, _ = os.Open(path)
	}
	request, _ := http.NewRequest("POST", os.Args[3], body)
	if os.Args[1] == "repeatable" {
		request.GetBody = func() (io.ReadCloser, error) { return os.Open(path) }
	}
	request.ContentLength = int64(len(data))
	answer, err := http.DefaultClient.Do(request)
	fmt.Println(answer.StatusCode, err)
}
GO
printf picture >"$folder/picture"
GOCACHE=$folder/cache GO111MODULE=off CGO_ENABLED=0 go build -o "$folder/post" "$folder/main.go"

python "$folder" <<'PYTHON'
import subprocess, sys
from findings import Server, answer, check, conclude

folder = sys.argv[1]
for status in (307, 308):
    for body, recorded in (
        ("memory", ("200 <nil>", [b"picture"])), ("file", (f"{status} <nil>", [])),
        ("repeatable", ("200 <nil>", [b"picture"])),
    ):
        server = Server(lambda request: answer(200) if request.target == "/to" else answer(status, "Location: /to"))
        command = [f"{folder}/post", body, f"{folder}/picture", server.url]
        told = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout.strip()
        arrived = [post.body for post in server.posts if post.target == "/to"]
        check(f"{status}, body: {body}; status and error, and what arrived", (told, arrived), recorded)
conclude()
PYTHON
conclude
