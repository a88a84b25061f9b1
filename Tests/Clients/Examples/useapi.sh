curl -X POST "https://api.useapi.net/v1/kling/images/virtual-try-on" \
   -H "Content-Type: application/json" \
   -H "Authorization: Bearer …" \
   -d '{
     "email": "[email protected]",
     "humanImage": "https://example.com/person.jpg",
     "dressInput": "https://example.com/dress.jpg",
     "imageCount": 2
   }'
