// One task: its pictures, its way through the states, its callbacks, and what an operator can do.

import { h } from './dom.js'
import { get, path, post } from './api.js'
import { deliveryTable } from './deliveries.js'
import { formDialog } from './dialogs.js'
import { ago, clock, code, duration, exact, isFinal, state } from './format.js'
import { values } from './forms.js'
import { facts, heading, panel } from './parts.js'
import { chosen, resultAlone, triptych } from './pictures.js'

const back = ['#/tasks', 'Tasks']

export const taskPage = {
  title: 'Task',
  back,
  refresh(task) {
    if (!isFinal(task.state)) return 1500
    return task.deliveries.some(each => each.state === 'waiting') ? 4000 : undefined
  },
  load: ({ id }, signal) => get(path('tasks', id), {}, signal),

  render: (task, { redraw, reload }) => [
    heading(task.task_id ?? task.id, {
      back,
      sub: [
        h('span', { role: 'status' }, state(task.state)), task.unknown && state('unknown'),
        task.stuck && state('stuck'), ' created ', ago(task.created_at),
      ],
      actions: actions(task, reload),
    }),
    failureOf(task),
    body(task, redraw),
    panel('Callbacks', {}, deliveryTable(task.deliveries, reload)),
  ],
}

/** The pictures that there are, and what is known of the task. */
function body(task, redraw) {
  const [progress, facts] = [panel('Progress', {}, timeline(task)), panel('Details', {}, details(task))]
  if (chosen.has(task.id)) {
    return [panel('Pictures', {}, triptych(task, redraw)), h('div.columns.even', {}, progress, facts)]
  }
  if (task.state !== 'succeed') return h('div.columns.even', {}, progress, facts)
  return h('div.columns.wide-last', {}, panel('Result', {}, resultAlone(task, redraw)),
    h('div.stack', {}, progress, facts))
}

/** Why a task failed, in the words that its client reads. */
export const failureOf = task => task.task_status_msg && h('p.callout.bad', {}, task.task_status_msg)

function actions(task, reload) {
  return [
    task.state === 'queued' && h('button.danger', { type: 'button', onclick: () => cancel(task, reload) }, 'Cancel'),
    task.unknown && h('button', { type: 'button', onclick: () => settle(task, reload) }, 'Settle'),
  ].filter(Boolean)
}

const cancel = (task, reload) => formDialog({
  title: 'Cancel this task?', danger: true, action: 'Cancel the task',
  intro: 'It ends as failed, its client is told, and nothing is charged. This cannot be undone.',
  async send() {
    await post(path('tasks', task.id, 'cancel'))
    reload()
  },
})

function settle(task, reload) {
  const fields = [{
    name: 'made_as', label: "Kling's id of the task",
    hint: 'Leave this empty if Kling never had it: the task then fails, and nothing was charged.',
  }]
  return formDialog({
    title: 'Settle this task', action: 'Settle', fields,
    intro: `It is unknown whether ${task.account ?? 'the account'} has the task. Look for ${task.id} in the account's `
      + 'own list of tasks.',
    async send(form) {
      const { made_as: id } = values(form, fields)
      await post(path('tasks', task.id, 'settle'), id ? { made_as: id } : { not_made: true })
      reload()
    },
  })
}

// The states that this page has seen, by task: the gateway keeps only the first and the latest of each.
const seen = new Map()

const whatIsNext = {
  intent: 'is sent to an account', queued: 'waits for a free slot', submitted: 'Kling has it',
  processing: 'Kling is working on it',
}

/** The states of a task in their order, those included that were seen before. */
function statesOf({ id, history }) {
  const all = seen.get(id) ?? new Map()
  for (const { state: word, at } of history) if (!all.has(word)) all.set(word, at)
  seen.set(id, all)
  return [...all].map(([word, at]) => ({ word, at })).sort((one, other) => one.at - other.at)
}

/** The states of a task with their times. */
export function timeline(task) {
  const states = statesOf(task)
  const step = ({ word, at }, index) => h('li', { 'data-key': word, class: isFinal(word) ? 'last' : null },
    word === 'intent' ? h('span.state', {}, 'created') : state(word),
    h('time', { datetime: new Date(at).toISOString(), title: exact(at) }, clock(at)),
    h('span.muted', {}, index ? `+${duration(at - states[index - 1].at)}` : ''))
  return h('ol.timeline', {}, states.map(step),
    !isFinal(task.state) && h('li.next', {}, h('span.muted', {}, whatIsNext[task.state])))
}

const details = task => facts([
  ["Gateway's id", code(task.id)],
  ["Client's task_id", task.task_id && code(task.task_id)],
  ["Kling's id", task.upstream_task_id && code(task.upstream_task_id)],
  ['external_task_id', task.external_task_id && code(task.external_task_id)],
  ['Job', task.job && code(task.job)],
  ['Tenant', h('a', { href: `#/tenants/${encodeURIComponent(task.tenant)}` }, task.tenant)],
  ['Account', task.account],
  ['Model', task.model],
  ['Last change', ago(task.updated_at)],
])
