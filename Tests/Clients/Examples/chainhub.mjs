const response = await fetch('https://api.chainhub.tech/kling/v1/images/kolors-virtual-try-on', {
  method: 'POST',
  headers: { 'Content-Type': 'application/json', Authorization: 'Bearer {{YOUR_API_KEY}}' },
  body: JSON.stringify({
    model_name: 'kolors-virtual-try-on-v1',
    human_image: 'https://h2.inkwai.com/bs2/upload-ylab-stunt/se/ai_portal_queue_mmu_image_upscale_aiweb/3214b798-e1b4-4b00-b7af-72b5b0417420_raw_image_0.jpg',
    cloth_image: 'https://imageproxy.zhongzhuan.chat/api/proxy/image/1db2a32c24087cab3405a00ee4454c94.jpg',
    callback_url: ''
  }),
  redirect: 'follow'
})
console.log(await response.text())
