// Tenants: their limits, budgets, keys and webhook secrets.

import { h } from './dom.js'
import { get, patch, path } from './api.js'
import { budgetBars, budgetEditor, smallBars } from './budgets.js'
import { act, formDialog } from './dialogs.js'
import { ago, number, plural, state } from './format.js'
import { changes, dialogField } from './forms.js'
import { keyTable, makeKey } from './keys.js'
import { limitsInWords, ruleFacts, ruleFields } from './limits.js'
import { facts, heading, panel, table } from './parts.js'
import { webhooks } from './webhooks.js'

function status({ disabled, expires_at: end }) {
  if (disabled) return 'disabled'
  return end && end < Date.now() ? 'expired' : 'active'
}

export const tenants = {
  title: 'Tenants',
  refresh: () => 15_000,
  load: (route, signal) => get('tenants', {}, signal),

  render: (rows, { reload }) => [
    heading('Tenants', {
      sub: 'Each sees only its own tasks. A new one begins with its first key.',
      actions: [h('button.primary', {
        type: 'button', onclick: () => makeKey(undefined, rows.map(row => row.name), reload),
      }, 'Make a key')],
    }),
    panel('Tenants', { note: plural(rows.length, 'tenant') }, table('Tenants', [
      { title: 'Name', cell: tenant => h('a', { href: `#/tenants/${encodeURIComponent(tenant.name)}` }, tenant.name) },
      { title: 'Status', cell: tenant => state(status(tenant)) },
      { title: 'Budgets', kind: 'wide', cell: smallBars },
      { title: 'Limits', cell: limitsInWords },
      { title: 'Keys', kind: 'figure', cell: tenant => number(tenant.keys) },
    ], rows, tenant => tenant.name, 'No tenant yet: make a key for one.')),
  ],
}

const back = ['#/tenants', 'Tenants']

export const tenantPage = {
  title: 'Tenant',
  back,
  refresh: () => 15_000,

  async load({ id }, signal) {
    const [tenant, keys] = await Promise.all([
      get(path('tenants', id), {}, signal), get('keys', { tenant: id }, signal),
    ])
    return { tenant, keys }
  },

  render: ({ tenant, keys }, { reload }) => [
    heading(tenant.name, {
      back,
      sub: [state(status(tenant)), tenant.created_at && [' since ', ago(tenant.created_at)]],
      actions: [
        h('button', { type: 'button', onclick: () => edit(tenant, reload) }, 'Edit'),
        h('button', {
          type: 'button',
          onclick: event => act(event, async () => {
            await patch(path('tenants', tenant.name), { disabled: !tenant.disabled })
            await reload()
          }, tenant.disabled ? 'The tenant works again.' : 'The tenant is disabled: all of its keys stop.'),
        }, tenant.disabled ? 'Enable' : 'Disable'),
        h('button.primary', { type: 'button', onclick: () => makeKey(tenant.name, [tenant.name], reload) },
          'Make a key'),
      ],
    }),
    h('div.columns.even', {},
      panel('Budgets', { note: tenant.time_zone }, budgetBars(tenant)),
      panel('Limits', { note: 'of all its keys together' }, facts(ruleFacts(tenant)))),
    panel('Keys', { note: plural(keys.length, 'key') }, keyTable(keys)),
    webhooks(tenant),
    h('p.links', {},
      h('a', { href: `#/tasks?tenant=${encodeURIComponent(tenant.name)}` }, 'Tasks'),
      h('a', { href: `#/usage?tenant=${encodeURIComponent(tenant.name)}` }, 'Usage'),
      h('a', { href: `#/audit?target=${encodeURIComponent(tenant.name)}` }, 'Changes')),
  ],
}

function edit(tenant, reload) {
  const fields = [
    ...ruleFields(tenant),
    {
      name: 'time_zone', label: 'Time zone', value: tenant.time_zone, options: Intl.supportedValuesOf('timeZone'),
      placeholder: 'UTC', hint: 'In which its days, weeks and months begin.',
    },
  ]
  const editor = budgetEditor(tenant.budgets ?? [])
  return formDialog({
    title: `Edit ${tenant.name}`, action: 'Save', wide: true,
    body: [h('div.grid', {}, fields.map(dialogField)), editor.element],
    async send(form) {
      const given = changes(form, fields)
      if (given.time_zone === null) given.time_zone = 'UTC'
      await patch(path('tenants', tenant.name), { ...given, budgets: editor.read(form) })
      reload()
    },
  })
}
