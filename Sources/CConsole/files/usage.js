// What tenants used: by day as a chart, and grouped as the operator chooses.

import { h } from './dom.js'
import { find, get, link } from './api.js'
import { legend, stackedBars } from './charts.js'
import { bytes, compact, day, money, number, plural } from './format.js'
import { field, fieldsWith, values } from './forms.js'
import { heading, panel, table } from './parts.js'
import { address } from './tasks.js'

// More are in the CSV: a browser with very long tables is slow.
const mostRows = 500
const groups = ['tenant', 'day', 'key', 'account', 'model', 'outcome']
const isoDay = time => new Date(time).toISOString().slice(0, 10)

/** The query with its defaults: the last 30 days, by tenant. */
const complete = query => ({
  from: query.from ?? isoDay(Date.now() - 29 * 86_400_000), to: query.to ?? isoDay(Date.now()),
  by: query.by ?? 'tenant', tenant: query.tenant,
})

export const usage = {
  title: 'Usage',

  async load({ query }, signal) {
    const asked = complete(query)
    const [rows, days, tenants] = await Promise.all([
      find('usage', asked, signal),
      find('usage', { ...asked, by: 'day' }, signal),
      get('tenants', {}, signal).catch(() => []),
    ])
    return { rows, days, tenants: tenants.map(tenant => tenant.name) }
  },

  render: ({ rows, days, tenants }, { query }) => {
    const asked = complete(query)
    return [
      heading('Usage', {
        sub: asked.tenant ? `of ${asked.tenant}` : 'of all tenants',
        actions: [h('a.button', { href: link('usage', { ...asked, format: 'csv' }), download: true }, 'Download CSV')],
      }),
      filters(asked, tenants, rows.problem),
      h('div.tiles', {}, totals(days)),
      panel('By day', { note: legend([['accent', 'succeeded'], ['bad', 'failed'], ['calm', 'running']]) },
        chart(days, asked)),
      panel(`By ${asked.by.split(',').join(' and ')}`, { note: plural(rows.length, 'row') },
        usageTable(rows.slice(0, mostRows), asked.by.split(',')),
        rows.length > mostRows && h('p.empty', {}, `These are the first ${mostRows} rows. The CSV has all of them.`)),
    ]
  },
}

function filters(asked, tenants, problem) {
  const fields = [
    { name: 'from', label: 'From', kind: 'date', value: asked.from },
    { name: 'to', label: 'To, inclusive', kind: 'date', value: asked.to },
    {
      name: 'tenant', label: 'Tenant', kind: 'select', value: asked.tenant,
      options: [['', 'All tenants'], ...tenants.map(name => [name, name])],
    },
  ]
  const boxes = groups.map(name => (
    { name: `by-${name}`, label: name, kind: 'check', value: asked.by.split(',').includes(name) }))
  const go = event => {
    event.preventDefault()
    const form = event.currentTarget
    const chosen = values(form, boxes)
    const by = groups.filter(name => chosen[`by-${name}`]).join(',') || 'tenant'
    location.hash = address('usage', { ...values(form, fields), by })
  }
  return h('form.filters', { 'aria-label': 'Choose what is counted', novalidate: true, onsubmit: go },
    fieldsWith(problem, fields),
    h('fieldset.boxes', {}, h('legend', {}, 'Group by'), boxes.map(field)),
    h('div.buttons', {}, h('button.primary', { type: 'submit' }, 'Show')))
}

const sum = (rows, member) => rows.reduce((total, row) => total + (row[member] ?? 0), 0)

function totals(days) {
  const [made, succeeded] = [sum(days, 'made'), sum(days, 'succeeded')]
  const cash = {}
  for (const [currency, amount] of days.flatMap(row => Object.entries(row.cash))) {
    cash[currency] = (cash[currency] ?? 0) + amount
  }
  return [
    ['Tasks', compact(made), 'made'],
    ['Succeeded', compact(succeeded), made ? `${(100 * succeeded / made).toFixed(1)} %` : '–'],
    ['Failed', compact(sum(days, 'failed')), 'without a picture'],
    ['Units', compact(sum(days, 'units')), 'charged by Kling'],
    ['Cost', money(cash), 'as Kling reports it'],
  ].map(([name, value, note]) =>
    h('div.tile', {}, h('span.name', {}, name), h('strong', {}, value), h('span.note', {}, note)))
}

function chart(rows, { from, to }) {
  const found = new Map(rows.map(row => [row.day, row]))
  const days = []
  for (let time = Date.parse(from); time <= Date.parse(to) && days.length < 400; time += 86_400_000) {
    const { succeeded = 0, failed = 0, running = 0 } = found.get(isoDay(time)) ?? {}
    const name = day(time)
    days.push({
      name, text: `${name}: ${number(succeeded)} succeeded, ${number(failed)} failed, ${number(running)} running`,
      parts: [['accent', succeeded], ['bad', failed], ['calm', running]],
    })
  }
  const words = `Tasks by day from ${from} to ${to}: ${number(sum(rows, 'made'))} in all.`
  return stackedBars(`${words} The table below has the figures.`, days)
}

const usageTable = (rows, by) => table('Usage by group', [
  ...by.map(name => (
    { title: name[0].toUpperCase() + name.slice(1), cell: row => row[name] || '–' })),
  ...[
    ['Made', row => number(row.made)],
    ['Succeeded', row => number(row.succeeded)],
    ['Failed', row => number(row.failed)],
    ['Running', row => number(row.running)],
    ['Refused', row => number(row.refused)],
    ['Units', row => number(row.units)],
    ['Cost', row => money(row.cash)],
    ['Pictures', row => bytes(row.bytes ?? 0)],
    ['Median', row => (row.seconds_median == null ? '–' : `${row.seconds_median.toFixed(1)} s`)],
    ['95 %', row => (row.seconds_p95 == null ? '–' : `${row.seconds_p95.toFixed(1)} s`)],
  ].map(([title, cell]) => ({ title, kind: 'figure', cell })),
], rows, row => by.map(name => row[name]).join('/'), 'Nothing was used in this time.')
