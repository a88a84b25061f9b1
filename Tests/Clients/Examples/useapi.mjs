const token = "API token";
const email = "Previously configured account email";
const apiUrl = "https://api.useapi.net/v1/kling/images/virtual-try-on";
const response = await fetch(apiUrl, {
  method: "POST",
  headers: {
    "Content-Type": "application/json",
    "Authorization": `Bearer ${token}`,
  },
  body: JSON.stringify({
    email: email,
    humanImage: "https://example.com/person.jpg",
    dressInput: "https://example.com/dress.jpg",
    imageCount: 2
  })
});
const result = await response.json();
console.log("response", {response, result});
