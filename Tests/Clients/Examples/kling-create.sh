curl --request POST \
  --url https://api-singapore.klingai.com/v1/images/kolors-virtual-try-on \
  --header 'Authorization: Bearer <token>' \
  --header 'Content-Type: application/json' \
  --data '{
    "model_name": "kolors-virtual-try-on-v1-5",
    "human_image": "https://p1-kling.klingai.com/kcdn/cdn-kcdn112452/kling-qa-test/tryon-human.webp",
    "cloth_image": "https://p1-kling.klingai.com/kcdn/cdn-kcdn112452/kling-qa-test/suite.webp",
    "callback_url": "",
    "external_task_id": ""
  }'
