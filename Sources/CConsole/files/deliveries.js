// Callbacks to clients: their attempts, and sending one again.

import { h } from './dom.js'
import { find, path, post } from './api.js'
import { act } from './dialogs.js'
import { ago, code, duration, exact, plural, state } from './format.js'
import { fieldsWith, values } from './forms.js'
import { heading, panel, table } from './parts.js'
import { address } from './tasks.js'

const states = ['waiting', 'delivered', 'failed', 'superseded']

export const deliveries = {
  title: 'Callbacks',
  refresh: rows => (rows.some(delivery => delivery.state === 'waiting') ? 5000 : 15_000),
  load: ({ query }, signal) => find('deliveries', { ...query, limit: 100 }, signal),

  render: (rows, { query, reload }) => [
    heading('Callbacks', { sub: 'The latest deliveries to the addresses that clients gave' }),
    filters(query, rows.problem),
    panel('Deliveries', { note: query.state ?? 'all' }, deliveryTable(rows, reload, true)),
  ],
}

function filters(query, problem) {
  const fields = [
    { name: 'task', label: 'Task', value: query.task, placeholder: 'any id' },
    {
      name: 'state', label: 'State', kind: 'select', value: query.state,
      options: [['', 'Any state'], ...states.map(word => [word, word])],
    },
  ]
  const go = event => {
    event.preventDefault()
    location.hash = address('callbacks', values(event.currentTarget, fields))
  }
  return h('form.filters', { role: 'search', 'aria-label': 'Find callbacks', novalidate: true, onsubmit: go },
    fieldsWith(problem, fields),
    h('div.buttons', {}, h('button.primary', { type: 'submit' }, 'Find'),
      h('button', { type: 'reset', onclick: () => { location.hash = '#/callbacks' } }, 'Clear')))
}

/** Deliveries as a table, with a button to send each again. */
export const deliveryTable = (rows, reload, withTask = false) => table('Deliveries', [
  {
    title: 'Receiver',
    cell: delivery => [h('span.break', {}, breakable(delivery.url)), h('span.under', {}, code(delivery.id))],
  },
  withTask && {
    title: 'Task',
    cell: delivery => h('a', { href: `#/tasks/${encodeURIComponent(delivery.task)}` }, code(delivery.task)),
  },
  { title: 'State', cell: delivery => [state(delivery.state), attempts(delivery)] },
  {
    title: 'When', kind: 'figure', cell: delivery => (delivery.next_attempt_at && delivery.state === 'waiting'
      ? ['next ', ago(delivery.next_attempt_at)] : ago(delivery.finished_at ?? delivery.created_at)),
  },
  {
    title: '', kind: 'deeds', cell: delivery => h('button', {
      type: 'button', 'aria-label': `Redeliver ${delivery.id}`,
      onclick: event => act(event, async () => {
        await post(path('deliveries', delivery.id, 'redeliver'))
        reload()
      }, 'The callback will be sent again.'),
    }, 'Redeliver'),
  },
].filter(Boolean), rows, delivery => delivery.id, 'No callback: the create had no callback_url, or none is due yet.')

/** An address that may break after its slashes. */
const breakable = url => url.split(/(?<=[^/:][/?&])/).flatMap(part => [part, h('wbr')])

function attempts({ attempts: count, history = [] }) {
  const last = history.at(-1)
  const outcome = last?.failure ? `: ${last.failure}` : last ? `, answered ${last.status}` : ''
  const told = plural(count, 'attempt') + outcome
  if (history.length < 2) return h('span.under', {}, told)
  return h('details', {},
    h('summary', {}, told),
    h('ol.attempts', {}, history.map(attempt => h('li', {},
      h('time', { title: exact(attempt.started_at) }, ago(attempt.started_at)), ' ',
      attempt.failure ?? `answered ${attempt.status}`, `, ${duration(attempt.duration_ms)}`))))
}
