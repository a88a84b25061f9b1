<?php
// Creates a try-on task, waits for it and prints the picture's URL. Needs the curl extension.

$path = getenv('GATEWAY_URL') . '/v1/images/kolors-virtual-try-on';

function call(string $url, ?array $body = null): array
{
    $headers = ['Authorization: Bearer ' . getenv('GATEWAY_KEY')];
    $curl = curl_init($url);
    if ($body !== null) {
        $headers[] = 'Content-Type: application/json';
        // curl sends a request again by itself when a reused connection breaks: the key makes that harmless.
        $headers[] = 'Idempotency-Key: ' . bin2hex(random_bytes(16));
        curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body));
    }
    curl_setopt_array($curl, [CURLOPT_HTTPHEADER => $headers, CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 90]);
    $answer = curl_exec($curl);
    if ($answer === false) {
        throw new RuntimeException(curl_error($curl));
    }
    $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
    $json = json_decode($answer, true, flags: JSON_THROW_ON_ERROR);
    if ($status >= 400) {
        throw new RuntimeException("HTTP $status: {$json['message']}");
    }
    return $json['data'];
}

$task = call($path, ['human_image' => getenv('PERSON'), 'cloth_image' => getenv('GARMENT')]);
for ($second = 0; !in_array($task['task_status'], ['succeed', 'failed']); $second++) {
    if ($second == 120) {
        throw new RuntimeException("task {$task['task_id']} is not finished yet");
    }
    sleep(1);
    $task = call("$path/{$task['task_id']}");
}

if ($task['task_status'] === 'failed') {
    throw new RuntimeException("the task failed: {$task['task_status_msg']}");
}
foreach ($task['task_result']['images'] as $image) {
    echo $image['url'], "\n";
}
