// Creates a try-on task, waits for it and prints the picture's URL.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

var path = os.Getenv("GATEWAY_URL") + "/v1/images/kolors-virtual-try-on"

type task struct {
	ID      string `json:"task_id"`
	Status  string `json:"task_status"`
	Message string `json:"task_status_msg"`
	Result  struct {
		Images []struct {
			URL string `json:"url"`
		} `json:"images"`
	} `json:"task_result"`
}

func call(method, url string, body any) task {
	content := new(bytes.Buffer)
	if body != nil {
		json.NewEncoder(content).Encode(body)
	}
	request, err := http.NewRequest(method, url, content)
	if err != nil {
		log.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("GATEWAY_KEY"))
	if body != nil {
		key := make([]byte, 16)
		rand.Read(key)
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", hex.EncodeToString(key))
	}
	client := http.Client{Timeout: 90 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	var envelope struct {
		Message string
		Data    task
	}
	if err := json.NewDecoder(answer.Body).Decode(&envelope); err != nil {
		log.Fatal(err)
	}
	if answer.StatusCode >= 400 {
		log.Fatalf("HTTP %d: %s", answer.StatusCode, envelope.Message)
	}
	return envelope.Data
}

func main() {
	pictures := map[string]string{"human_image": os.Getenv("PERSON"), "cloth_image": os.Getenv("GARMENT")}
	made := call("POST", path, pictures)
	for second := 0; made.Status != "succeed"; second++ {
		if made.Status == "failed" {
			log.Fatal("the task failed: ", made.Message)
		}
		if second == 120 {
			log.Fatalf("task %s is not finished yet", made.ID)
		}
		time.Sleep(time.Second)
		made = call("GET", path+"/"+made.ID, nil)
	}
	for _, image := range made.Result.Images {
		fmt.Println(image.URL)
	}
}
