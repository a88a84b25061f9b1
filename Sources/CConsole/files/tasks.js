// The list of tasks: found by any id, filtered, and read page by page.

import { h } from './dom.js'
import { find, get } from './api.js'
import { ago, code, isFinal, plural, state } from './format.js'
import { fieldsWith, values } from './forms.js'
import { heading, pager, panel, table } from './parts.js'

const pageSize = 50
const states = ['queued', 'submitted', 'processing', 'succeed', 'failed', 'refused', 'intent']

/** The address of a list. */
export const address = (section, query) => {
  const given = Object.entries(query).filter(([, value]) => ![null, undefined, '', false].includes(value))
  return `#/${section}${given.length ? `?${new URLSearchParams(given)}` : ''}`
}

export const tasks = {
  title: 'Tasks',
  refresh: list => (list.rows.some(task => !isFinal(task.state)) ? 5000 : 15_000),

  async load({ query }, signal) {
    const [rows, tenants] = await Promise.all([
      find('tasks', { ...query, limit: pageSize + 1 }, signal),
      get('tenants', {}, signal).catch(() => []),
    ])
    return {
      problem: rows.problem, rows: rows.slice(0, pageSize), hasMore: rows.length > pageSize,
      tenants: tenants.map(tenant => tenant.name),
    }
  },

  render: ({ problem, rows, hasMore, tenants }, { query }) => [
    heading('Tasks', { sub: 'What clients asked for' }),
    filters(query, tenants, problem),
    panel('Tasks', { note: h('span', { role: 'status' }, found(rows, hasMore, query)) },
      taskTable(rows, Object.keys(query).length ? 'No task matches.' : 'No task yet. Try it makes one.'),
      pager({
        first: query.before && address('tasks', { ...query, before: undefined }),
        next: hasMore && address('tasks', { ...query, before: rows.at(-1).id }),
      })),
  ],
}

function found(rows, hasMore, { id, state: word, tenant, attention, unfinished }) {
  const filters = [
    id && `id ${id}`, word, tenant && `of ${tenant}`, attention && 'needing attention', unfinished && 'unfinished',
  ].filter(Boolean)
  return `${plural(rows.length, 'task')}${hasMore ? ' and more' : ''}, ${filters.join(', ') || 'newest first'}`
}

function filters(query, tenants, problem) {
  const fields = [
    { name: 'id', label: 'Any id', value: query.id, placeholder: 'gateway, client or Kling' },
    { name: 'tenant', label: 'Tenant', value: query.tenant, options: tenants },
    {
      name: 'state', label: 'State', kind: 'select', value: query.state,
      options: [['', 'Any state'], ...states.map(word => [word, word === 'succeed' ? 'succeeded' : word])],
    },
    { name: 'unfinished', label: 'Unfinished', kind: 'check', value: query.unfinished },
    { name: 'attention', label: 'Needs attention', kind: 'check', value: query.attention },
  ]
  const go = event => {
    event.preventDefault()
    location.hash = address('tasks', values(event.currentTarget, fields))
  }
  return h('form.filters', { role: 'search', 'aria-label': 'Find tasks', novalidate: true, onsubmit: go },
    fieldsWith(problem, fields),
    h('div.buttons', {}, h('button.primary', { type: 'submit' }, 'Find'),
      h('button', { type: 'reset', onclick: () => { location.hash = '#/tasks' } }, 'Clear')))
}

/** Tasks as a table. */
export const taskTable = (rows, empty) => table('Tasks', [
  {
    title: 'Task', cell: task => [
      h('a', { href: `#/tasks/${encodeURIComponent(task.id)}` }, code(task.task_id ?? task.id)),
      task.external_task_id && h('span.under', {}, task.external_task_id)],
  },
  { title: 'State', cell: task => [state(task.state), task.unknown && state('unknown'), task.stuck && state('stuck')] },
  { title: 'Tenant', cell: task => task.tenant },
  { title: 'Account', cell: task => task.account ?? h('span.muted', {}, 'none yet') },
  { title: 'Model', kind: 'optional', cell: task => task.model },
  { title: 'Created', kind: 'figure', cell: task => ago(task.created_at) },
], rows, task => task.id, empty)
