// The audit log: who changed what, and from what to what.

import { h } from './dom.js'
import { find } from './api.js'
import { ago, code, exact } from './format.js'
import { fieldsWith, values } from './forms.js'
import { heading, pager, panel, table } from './parts.js'
import { address } from './tasks.js'

const pageSize = 50

export const audit = {
  title: 'Audit',
  refresh: () => 15_000,

  async load({ query }, signal) {
    const rows = await find('audit', { ...query, limit: pageSize + 1 }, signal)
    return { problem: rows.problem, rows: rows.slice(0, pageSize), hasMore: rows.length > pageSize }
  },

  render: ({ problem, rows, hasMore }, { query }) => [
    heading('Audit', { sub: 'Every change by an operator, newest first. Entries cannot be changed or removed.' }),
    filters(query, problem),
    panel('Changes', { note: query.target ? `of ${query.target}` : 'all' },
      table('Changes', columns, rows, entry => String(entry.entry), 'No change was made.'),
      pager({
        first: query.before && address('audit', { ...query, before: undefined }),
        next: hasMore && address('audit', { ...query, before: rows.at(-1).entry }),
      })),
  ],
}

const columns = [
  { title: 'When', cell: entry => ago(entry.at) },
  { title: 'Who', cell: entry => [entry.who, h('span.under.whole', {}, entry.from)] },
  { title: 'Action', cell: entry => entry.action },
  { title: 'Target', cell: entry => h('a', { href: address('audit', { target: entry.target }) }, code(entry.target)) },
  { title: 'Change', kind: 'widest', cell: change },
]

function change({ before, after, target }) {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])]
    .filter(name => JSON.stringify(before?.[name]) !== JSON.stringify(after?.[name]))
    .filter(name => before || !isPlain(after[name]) && after[name] !== target)
  if (!names.length) return h('span.muted', {}, '–')
  return h('ul.changes', {}, names.map(name => h('li', {},
    h('span.muted', {}, `${name}: `), before?.[name] !== undefined && [h('del', {}, text(name, before[name])), ' → '],
    h('ins', {}, text(name, after?.[name])))))
}

/** Whether a new thing has a member only because everything has it. */
const isPlain = value => value === null || value === false || (Array.isArray(value) && value.length === 0)

function text(name, value) {
  if (value === null || value === undefined) return 'none'
  if (Number.isInteger(value) && /_(at|until)$/.test(name)) return exact(value)
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function filters(query, problem) {
  const fields = [{ name: 'target', label: 'Target', value: query.target, placeholder: 'key, tenant, task' }]
  const go = event => {
    event.preventDefault()
    location.hash = address('audit', values(event.currentTarget, fields))
  }
  return h('form.filters', { role: 'search', 'aria-label': 'Find changes', novalidate: true, onsubmit: go },
    fieldsWith(problem, fields),
    h('div.buttons', {}, h('button.primary', { type: 'submit' }, 'Find'),
      h('button', { type: 'reset', onclick: () => { location.hash = '#/audit' } }, 'Clear')))
}
