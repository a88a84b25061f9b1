package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

func send(method, path, body string) string {
	request, err := http.NewRequest(method, os.Getenv("GATEWAY")+path, strings.NewReader(body))
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("KEY"))
	if method == "POST" {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", "order-1")
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	return string(content)
}

func main() {
	send("GET", "/v1/models", "")
	os.Stdout.WriteString(send("POST", os.Getenv("CREATE"), os.Getenv("BODY")))
}
