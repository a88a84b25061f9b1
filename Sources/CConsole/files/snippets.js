// The try-on of this page as a client makes it: curl, Python and JavaScript.

import { h, copyButton } from './dom.js'

const curl = ({ person, garment, model }) => `# Where the gateway listens for clients, and a key from Keys
export GATEWAY_URL=http://localhost:8080 GATEWAY_KEY=sk-...

curl "$GATEWAY_URL/v1/images/kolors-virtual-try-on" \\
  -H "Authorization: Bearer $GATEWAY_KEY" -H "Content-Type: application/json" \\
  -d @- <<END
{"model_name": "${model}",
 "human_image": "$(base64 -w 0 ${quoted(person)})",
 "cloth_image": "$(base64 -w 0 ${quoted(garment)})"}
END

# Then, with the task_id of the answer, until task_status is succeed or failed:
curl "$GATEWAY_URL/v1/images/kolors-virtual-try-on/TASK_ID" -H "Authorization: Bearer $GATEWAY_KEY"
`

const python = ({ person, garment, model }) => `import base64, json, os, time, urllib.request

GATEWAY = os.environ["GATEWAY_URL"]   # where the gateway listens for clients
KEY = os.environ["GATEWAY_KEY"]       # a key from Keys
PATH = "/v1/images/kolors-virtual-try-on"


def call(path, body=None):
    request = urllib.request.Request(
        GATEWAY + path, None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=60))["data"]


def picture(name):
    return base64.b64encode(open(name, "rb").read()).decode()


task = call(PATH, {
    "model_name": ${JSON.stringify(model)},
    "human_image": picture(${JSON.stringify(person)}),
    "cloth_image": picture(${JSON.stringify(garment)}),
})
while task["task_status"] not in ("succeed", "failed"):
    time.sleep(1)
    task = call(f"{PATH}/{task['task_id']}")
print(task.get("task_status_msg") or task["task_result"]["images"][0]["url"])
`

const javascript = ({ person, garment, model }) => `// Node 18 or newer
import { readFile } from 'node:fs/promises'

const { GATEWAY_URL, GATEWAY_KEY } = process.env   // where the gateway listens for clients; a key from Keys
const path = '/v1/images/kolors-virtual-try-on'

async function call(path, body) {
  const answer = await fetch(GATEWAY_URL + path, {
    method: body ? 'POST' : 'GET',
    headers: { Authorization: \`Bearer \${GATEWAY_KEY}\`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  })
  const { message, data } = await answer.json()
  if (!answer.ok) throw new Error(message)
  return data
}

let task = await call(path, {
  model_name: ${JSON.stringify(model)},
  human_image: await readFile(${JSON.stringify(person)}, 'base64'),
  cloth_image: await readFile(${JSON.stringify(garment)}, 'base64'),
})
while (!['succeed', 'failed'].includes(task.task_status)) {
  await new Promise(resolve => setTimeout(resolve, 1000))
  task = await call(\`\${path}/\${task.task_id}\`)
}
console.log(task.task_status_msg || task.task_result.images[0].url)
`

const languages = [['curl', curl], ['Python', python], ['JavaScript', javascript]]
let shown = 'curl'

/** A file name as a shell reads it. */
const quoted = name => (/^[\w.-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`)

/** The call in the language that is chosen, with tabs to choose another. */
export function snippets({ person, garment, model }) {
  const about = { person: person?.name ?? 'person.jpg', garment: garment?.name ?? 'garment.jpg', model }
  const root = h('div.snippets', {})
  const draw = () => root.replaceChildren(...parts())
  const parts = () => {
    const text = languages.find(([name]) => name === shown)[1](about)
    return [
      h('div.tabs', {}, h('div', { role: 'tablist', 'aria-label': 'Language' }, languages.map(tab)),
        copyButton(() => text, `Copy the ${shown} code`)),
      h('pre', { role: 'tabpanel', id: 'snippet', tabindex: 0, 'aria-labelledby': `tab-${shown}` },
        h('code', {}, text)),
    ]
  }
  const tab = ([name], index) => h('button', {
    type: 'button', role: 'tab', id: `tab-${name}`, 'aria-controls': 'snippet', 'aria-selected': String(name === shown),
    tabindex: name === shown ? 0 : -1,
    onclick: event => choose(name, event.currentTarget.closest('.snippets')),
    onkeydown: event => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
      if (step) choose(languages.at((index + step) % languages.length)[0], event.currentTarget.closest('.snippets'))
    },
  }, name)
  const choose = (name, place) => {
    shown = name
    place.replaceChildren(...parts())
    document.getElementById(`tab-${name}`).focus()
  }
  draw()
  return root
}
