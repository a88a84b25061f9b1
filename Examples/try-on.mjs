// Creates a try-on task, waits for it and prints the picture's URL.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

const { GATEWAY_URL, GATEWAY_KEY, PERSON, GARMENT } = process.env
const path = `${GATEWAY_URL}/v1/images/kolors-virtual-try-on`

async function call(url, options = {}) {
  const headers = { Authorization: `Bearer ${GATEWAY_KEY}`, ...options.headers }
  const answer = await fetch(url, { ...options, headers, signal: AbortSignal.timeout(90_000) })
  const { data, message } = await answer.json()
  if (!answer.ok) throw new Error(`HTTP ${answer.status}: ${message}`)
  return data
}

let task = await call(path, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json', 'Idempotency-Key': randomUUID() },
  body: JSON.stringify({ human_image: PERSON, cloth_image: GARMENT })
})
const deadline = Date.now() + 120_000
while (!['succeed', 'failed'].includes(task.task_status)) {
  if (Date.now() > deadline) throw new Error(`task ${task.task_id} is not finished yet`)
  await sleep(1000)
  task = await call(`${path}/${task.task_id}`)
}

if (task.task_status === 'failed') throw new Error(`the task failed: ${task.task_status_msg}`)
for (const { url } of task.task_result.images) console.log(url)
