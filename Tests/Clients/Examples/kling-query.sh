curl --request GET \
  --url https://api-singapore.klingai.com/v1/images/kolors-virtual-try-on/{id} \
  --header 'Authorization: Bearer <token>' \
  --header 'Content-Type: application/json'
