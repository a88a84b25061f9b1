// Budgets of a tenant: bars of their use, and the form that edits them.

import { h } from './dom.js'
import { ago, number } from './format.js'
import { dialogField, values } from './forms.js'
import { meter } from './parts.js'

const periods = [['day', 'a day'], ['week', 'a week'], ['month', 'a month'], ['total', 'in all']]
const metrics = [['tasks', 'tasks'], ['units', 'units']]

/** The limit that counts now: a raise counts until its time. */
const limitOf = ({ limit, raise }) => (raise && raise.until > Date.now() ? Math.max(limit, raise.limit) : limit)

const nameOf = ({ metric, period }) => `${metric} ${Object.fromEntries(periods)[period]}`

const bar = (tenant, budget) => meter(`${nameOf(budget)} of ${tenant.name}`, budget.used, limitOf(budget),
  { held: budget.held, warn: budget.warn_at_percent ?? 100 })

/** The bars of a tenant's budgets. */
export function budgetBars(tenant) {
  if (!tenant.budgets?.length) return h('p.empty', {}, 'No budget: use is not limited.')
  return h('ul.budgets', {}, tenant.budgets.map(budget => {
    const limit = limitOf(budget)
    return h('li', { 'data-key': nameOf(budget) },
      h('div', {}, h('strong', {}, nameOf(budget)),
        h('span', {}, `${number(budget.used)} of ${number(limit)}`)),
      bar(tenant, budget),
      h('p.muted.small', {}, words(budget, limit)))
  }))
}

function words(budget, limit) {
  return [
    `${number(budget.left)} left`,
    budget.held > 0 && `, ${number(budget.held)} held by running tasks`,
    budget.resets_at && [', starts again ', ago(budget.resets_at)],
    limit !== budget.limit && [`, raised from ${number(budget.limit)} until `, ago(budget.raise.until)],
  ].filter(Boolean)
}

/** The bars in a row of a table. */
export const smallBars = tenant => (tenant.budgets?.length ? tenant.budgets.map(budget => h('span.measure', {},
  bar(tenant, budget),
  h('span', {}, `${number(budget.used)} of ${number(limitOf(budget))} ${nameOf(budget)}`)))
  : h('span.muted', {}, 'none'))

const fieldsOf = (budget, index) => [
  { name: `budgets[${index}].metric`, label: 'Count', kind: 'select', value: budget.metric, options: metrics },
  {
    name: `budgets[${index}].period`, label: 'Period', kind: 'select', value: budget.period ?? 'month',
    options: periods,
  },
  { name: `budgets[${index}].limit`, label: 'Limit', kind: 'number', value: budget.limit, required: true },
  {
    name: `budgets[${index}].warn_at_percent`, label: 'Warn at percent', kind: 'number',
    value: budget.warn_at_percent ?? 80,
  },
  {
    name: `budgets[${index}].raise.limit`, label: 'Raised to', kind: 'number', value: budget.raise?.limit,
    placeholder: 'not raised',
  },
  { name: `budgets[${index}].raise.until`, label: 'Until', kind: 'time', value: budget.raise?.until },
]

/** The part of a form that edits budgets, and what reads it. */
export function budgetEditor(budgets) {
  const rows = h('div', {})
  const add = (budget = {}) => {
    const row = h('fieldset.budget', {},
      h('legend', {}),
      h('div.grid', {}, fieldsOf(budget, 0).map(dialogField)),
      h('button.quiet', { type: 'button', onclick: () => { row.remove(); renumber(rows); more.focus() } }, 'Remove'))
    rows.append(row)
    renumber(rows)
    return row
  }
  const more = h('button', { type: 'button', onclick: () => add().querySelector('select').focus() }, 'Add a budget')
  budgets.forEach(add)
  return {
    element: h('div.field', {}, h('h3', {}, 'Budgets'), rows, more),
    read: form => [...rows.children].map((row, index) => read(form, index)),
  }
}

/** Names the fields by the places of their budgets, as errors do. */
function renumber(rows) {
  [...rows.children].forEach((row, index) => {
    row.querySelector('legend').textContent = `Budget ${index + 1}`
    row.querySelector('button').setAttribute('aria-label', `Remove budget ${index + 1}`)
    for (const element of row.querySelectorAll('[name]')) element.name = element.name.replace(/\d+/, index)
  })
}

function read(form, index) {
  const given = values(form, fieldsOf({}, index))
  const [metric, period, limit, warn, raised, until] = Object.values(given)
  return {
    metric, period, limit, ...(warn !== null && { warn_at_percent: warn }),
    ...((raised !== null || until !== null) && { raise: { limit: raised, until } }),
  }
}
