// The first page: how the gateway is doing now.

import { h } from './dom.js'
import { get } from './api.js'
import { bars, hourInWords } from './charts.js'
import { bytes, duration, number, plural, prose, relative, state } from './format.js'
import { heading, meter, panel, table } from './parts.js'

export const overview = {
  title: 'Overview',
  refresh: () => 5000,
  load: (route, signal) => get('overview', {}, signal),

  render: figures => [
    heading('Overview', {
      sub: `Version ${figures.version}, up for ${duration(Date.now() - figures.started_at)}`,
      actions: [readiness(figures.ready)],
    }),
    h('div.tiles', {}, tiles(figures)),
    h('div.columns', {},
      h('div.stack', {}, traffic(figures.series), accounts(figures.accounts), gateways(figures.gateways)),
      h('div.stack', {}, attention(figures.attention), waiting(figures))),
  ],
}

function readiness({ ready, checks }) {
  const failing = Object.entries(checks).filter(([, outcome]) => outcome !== 'ok').map(([name]) => name)
  return h('span.readiness', {},
    !ready ? h('span.state.bad', {}, `not ready: ${failing.join(', ')}`) : h('span.state.good', {}, 'ready'))
}

const tile = (name, value, note, href) => h(href ? 'a.tile' : 'div.tile', { href },
  h('span.name', {}, name), h('strong', {}, value), h('span.note', {}, note))

function tiles({ requests_per_minute: rate, tasks, queue, deliveries, accounts }) {
  const used = accounts.reduce((sum, account) => sum + (account.slots_used ?? 0), 0)
  return [
    tile('Requests per minute', number(rate), 'from clients'),
    tile('Running tasks', number(tasks.running), `${plural(used, 'slot')} in use`, '#/tasks?unfinished=true'),
    tile('Queued', number(queue.tasks),
      queue.tasks ? `oldest waits ${duration(queue.oldest_seconds * 1000)}` : 'nothing waits', '#/tasks?state=queued'),
    tile('Callbacks waiting', number(deliveries.waiting),
      deliveries.failing ? `${plural(deliveries.failing, 'attempt')} failed lately` : 'none fails',
      '#/callbacks?state=waiting'),
    tile('Unknown or stuck', number(tasks.unknown + tasks.stuck),
      tasks.unknown + tasks.stuck ? 'need a look' : 'every outcome is known', '#/tasks?attention=true'),
  ]
}

function traffic({ creates, finished, errors }) {
  const chart = (name, what, figures, kind) => h('figure.traffic', {},
    h('figcaption', {}, h('span', {}, name), h('strong', {}, number(figures.reduce((sum, each) => sum + each, 0)))),
    bars(hourInWords(what, figures), figures, index => {
      const when = relative(Date.now() - (figures.length - index) * 60_000)
      return `${number(figures[index])} ${what.toLowerCase()}, ${when}`
    }, kind))
  return panel('Last hour', { note: 'by minute' }, h('div.trio', {},
    chart('Created', 'Tasks created', creates, 'accent'),
    chart('Finished', 'Tasks finished', finished, 'calm'),
    chart('Errors', 'Errors', errors, 'bad')))
}

function accounts(list) {
  return panel('Accounts', { note: plural(list.length, 'account') }, table('Accounts', [
    { title: 'Name', kind: 'name', cell: ({ name, api }) => [h('strong', {}, name), apiOf(api)] },
    { title: 'State', cell: account => [state(account.state), reasonOf(account)] },
    { title: 'Slots', kind: 'wide', cell: slots },
    { title: 'Weight', kind: 'figure', cell: account => number(account.weight) },
  ], list, account => account.name, 'No account is configured.'))
}

// The gateways that share the store; none if this one is alone.
function gateways(list) {
  return list.length > 0 && panel('Gateways', { note: plural(list.length, 'gateway') }, table('Gateways', [
    { title: 'Number', kind: 'figure', cell: ({ number: own }) => number(own) },
    { title: 'Host', kind: 'name', cell: ({ name, this: isThis }) => [
      h('strong', {}, name), isThis && h('span.muted.small', {}, ' this one')] },
    { title: 'Running tasks', kind: 'figure', cell: ({ tasks }) => number(tasks) },
    { title: 'Up for', cell: ({ started_at: at }) => duration(Date.now() - at) },
  ], list, ({ number: own }) => own, 'None.'))
}

const apiOf = api => api !== 'auto' && h('span.muted.small', {}, ` ${api}`)

const reasonOf = ({ reason, problem }) => (problem || reason) && h('p.reason', {}, prose(problem ?? reason))

const slots = ({ name, slots_used: used, slots: limit }) => h('span.measure', {},
  meter(`Slots in use at ${name}`, used ?? 0, limit, { mayBeFull: true }),
  h('span', {}, limit ? `${number(used)} of ${number(limit)}` : `${number(used)}, no limit known`))

function attention(list) {
  const entry = ({ what, detail, link }) => h('li', {},
    h(link ? 'a' : 'div', { href: link }, h('strong', {}, what), h('span', {}, prose(detail))))
  return panel('Needs attention', { note: list.length ? number(list.length) : '', kind: 'attention' },
    h('div', { 'aria-live': 'polite' }, list.length
    ? h('ul.attention', {}, list.map(entry))
    : h('p.empty', {}, 'Nothing. Accounts, callbacks, budgets and tasks are fine.')))
}

const waiting = ({ queue, deliveries }) => panel('Waiting', {}, h('dl.facts', {},
  [
    ['Tasks in the queue', number(queue.tasks)],
    ['Their pictures on disk', bytes(queue.bytes)],
    ['Oldest', queue.tasks ? duration(queue.oldest_seconds * 1000) : '–'],
    ['Callbacks to send', number(deliveries.waiting)],
    ['Attempts failed, last 10 min', number(deliveries.failing)],
  ].map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value)))))
