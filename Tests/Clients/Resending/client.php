<?php
// One handle for both transfers, as a script that talks to one host has it.
$curl = curl_init();
$key = 'Authorization: Bearer ' . getenv('KEY');
curl_setopt_array($curl, [
    CURLOPT_URL => getenv('GATEWAY') . '/v1/models', CURLOPT_HTTPHEADER => [$key],
    CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 60, CURLOPT_PROXY => '',
]);
curl_exec($curl);
curl_setopt_array($curl, [
    CURLOPT_URL => getenv('GATEWAY') . getenv('CREATE'), CURLOPT_POSTFIELDS => getenv('BODY'),
    CURLOPT_HTTPHEADER => [$key, 'Content-Type: application/json'],
]);
$answer = curl_exec($curl);
if ($answer === false) {
    fwrite(STDERR, curl_error($curl));
    exit(1);
}
echo $answer;
