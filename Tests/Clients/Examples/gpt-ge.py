import requests
resp = requests.post(
    'https://api.gpt.ge/kling/v1/images/kolors-virtual-try-on',
    headers={
        'Content-Type': 'application/json',
        'Authorization': 'Bearer sk-xxxx'
    },
    json={
        'model_name': 'kolors-virtual-try-on-v1-5',
        'human_image': 'https://gw.alicdn.com/imgextra/i1/1860536677/O1CN012wEzZ11zC7RDNm0Jr_!!1860536677.jpg',
        'cloth_image': 'https://gw.alicdn.com/imgextra/i4/3370044138/O1CN01p0Zl411gRFvj0NnwQ_!!3370044138.jpg'
    }
)
print(resp.json())
