// Try it: two pictures become a task, which is watched to its end.

import { h } from './dom.js'
import { get, path, post } from './api.js'
import { ago, isFinal, state } from './format.js'
import { field, showError, values } from './forms.js'
import { heading, panel } from './parts.js'
import { chosen, triptych } from './pictures.js'
import { dropZone, readPicture } from './drop.js'
import { failureOf, timeline } from './task.js'
import { snippets } from './snippets.js'

const models = ['kolors-virtual-try-on-v1-5', 'kolors-virtual-try-on-v1']

/** What was chosen so far. It lives as long as the page. */
const draft = { person: null, garment: null, model: models[0], tenant: '' }

export const tryOn = {
  title: 'Try it',
  refresh: ({ task }) => (task && !isFinal(task.state) ? 700 : undefined),

  async load({ id }, signal) {
    const [task, tenants] = await Promise.all([
      id === undefined ? null : get(path('tasks', id), {}, signal),
      get('tenants', {}, signal).catch(() => []),
    ])
    return { task, tenants: tenants.map(tenant => tenant.name) }
  },

  render: ({ task, tenants }, { redraw }) => [
    heading('Try it', {
      sub: 'Two pictures, one try-on, as a client would make it. It is paid for like any other.',
      actions: task ? [h('a.button', { href: '#/try' }, 'Another one')] : [],
    }),
    task ? watched(task, redraw) : chooser(tenants, redraw),
    panel('In your code', { note: 'the same call' }, snippets({ ...draft, model: task?.model ?? draft.model })),
  ],
}

function chooser(tenants, redraw) {
  const choose = place => async (file, input) => {
    const form = input.form
    try {
      draft[place] = await readPicture(file)
      redraw()
    } catch (error) {
      showError(form, { param: place, message: error.message })
    }
  }
  const zone = (name, label, hint) => dropZone({ name, label, hint, shown: draft[name], choose: choose(name) })
  const fields = [
    { name: 'model_name', label: 'Model', value: draft.model, options: models },
    {
      name: 'tenant', label: 'Tenant', value: draft.tenant, options: tenants, placeholder: 'console',
      hint: 'Whose task it becomes, and whose budgets it counts in.',
    },
  ]
  const submit = event => {
    event.preventDefault()
    send(event.currentTarget, fields)
  }
  return h('form.try', { novalidate: true, onsubmit: submit },
    h('p.summary', { role: 'alert' }),
    h('div.zones', {},
      zone('person', 'Person', 'A photo of one person'),
      zone('garment', 'Garment', 'A photo of what to wear')),
    h('div.row', {}, fields.map(field),
      h('button.primary.large', { type: 'submit' }, 'Try it on')))
}

async function send(form, fields) {
  for (const place of ['garment', 'person']) {
    if (!draft[place]) showError(form, { param: place, message: `Choose a picture of the ${place}.` })
  }
  if (!draft.person || !draft.garment) return
  const { model_name: model, tenant } = values(form, fields)
  Object.assign(draft, { model: model ?? '', tenant: tenant ?? '' })
  const button = form.querySelector('[type=submit]')
  button.disabled = true
  try {
    const task = await post('try-on', {
      ...(model && { model_name: model }), ...(tenant && { tenant }),
      human_image: draft.person.base64, cloth_image: draft.garment.base64,
    })
    chosen.set(task.id, { person: draft.person, garment: draft.garment })
    location.hash = `#/try/${encodeURIComponent(task.id)}`
  } catch (error) {
    const place = { human_image: 'person', cloth_image: 'garment' }[error.param] ?? error.param
    showError(form, { param: place, message: error.message })
    button.disabled = false
  }
}

function watched(task, redraw) {
  return h('div.columns.wide-first', {},
    panel('Try-on', { note: h('span', { role: 'status' }, state(task.state)) }, failureOf(task),
      triptych(task, redraw)),
    panel('Progress', { note: ago(task.created_at) }, timeline(task),
      h('p.padded', {}, h('a', { href: `#/tasks/${encodeURIComponent(task.id)}` }, 'All about this task'))))
}
