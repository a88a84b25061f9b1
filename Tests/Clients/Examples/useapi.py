import requests
token = "API token"
email = "Previously configured account email"
apiUrl = "https://api.useapi.net/v1/kling/images/virtual-try-on"
headers = {
    "Content-Type": "application/json",
    "Authorization" : f"Bearer {token}"
}
data = {
    "email": email,
    "humanImage": "https://example.com/person.jpg",
    "dressInput": "https://example.com/dress.jpg",
    "imageCount": 2
}
response = requests.post(apiUrl, headers=headers, json=data)
print(response, response.json())
