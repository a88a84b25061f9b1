// The keys of clients.

import { h } from './dom.js'
import { get, patch, path, post } from './api.js'
import { act, formDialog, showSecrets } from './dialogs.js'
import { ago, code, plural, state } from './format.js'
import { changes, field, values } from './forms.js'
import { limitsInWords, ruleFacts, ruleFields } from './limits.js'
import { facts, heading, panel, table } from './parts.js'
import { address } from './tasks.js'

export const keys = {
  title: 'Keys',
  refresh: () => 15_000,

  async load({ query }, signal) {
    const [rows, tenants] = await Promise.all([get('keys', query, signal), get('tenants', {}, signal)])
    return { rows, tenants: tenants.map(tenant => tenant.name) }
  },

  render: ({ rows, tenants }, { query, reload }) => [
    heading('Keys', {
      sub: 'What clients sign in with',
      actions: [h('button.primary', { type: 'button', onclick: () => makeKey(query.tenant, tenants, reload) },
        'Make a key')],
    }),
    h('form.filters', {
      role: 'search', 'aria-label': 'Choose a tenant', novalidate: true, onsubmit: event => event.preventDefault(),
    }, field({
      name: 'tenant', label: 'Tenant', kind: 'select', value: query.tenant,
      options: [['', 'All tenants'], ...tenants.map(name => [name, name])],
      onchange: event => { location.hash = address('keys', { tenant: event.currentTarget.value }) },
    })),
    panel('Keys', { note: plural(rows.length, 'key') }, keyTable(rows)),
  ],
}

/** Keys as a table. */
export const keyTable = rows => table('Keys', [
  {
    title: 'Key', cell: key => [
      h('a', { href: `#/keys/${encodeURIComponent(key.id)}` }, key.name || key.id),
      h('span.under', {}, code(key.prefix ? `${key.prefix}…` : key.access_key ?? ''))],
  },
  { title: 'Status', cell: key => [state(key.status), ends(key)] },
  { title: 'Tenant', cell: key => h('a', { href: `#/tenants/${encodeURIComponent(key.tenant)}` }, key.tenant) },
  { title: 'Limits', cell: limitsInWords },
  { title: 'Last used', kind: 'figure', cell: key => ago(key.last_used_at) },
  { title: 'Created', kind: 'figure optional', cell: key => ago(key.created_at) },
], rows, key => key.id, 'No key yet.')

/** What of a key will stop by itself. */
function ends(key) {
  if (key.status === 'ending') return h('span.under', {}, ago(key.revoked_at))
  if (key.previous_until > Date.now()) return h('span.under', {}, 'old secrets end ', ago(key.previous_until))
  return null
}

/** Asks for what a new key needs, makes it, and shows its secrets once. */
export async function makeKey(tenant, tenants, reload) {
  const fields = [
    {
      name: 'tenant', label: 'Tenant', value: tenant, required: true, options: tenants,
      hint: 'Keys of one tenant see the same tasks.',
    },
    { name: 'name', label: 'Name', hint: 'What it is for, such as storefront.' },
    ...ruleFields(),
  ]
  let made
  await formDialog({
    title: 'Make a key', action: 'Make the key', fields, wide: true,
    async send(form) {
      // Rules without a value are not set: a key has none by default.
      const given = Object.entries(values(form, fields)).filter(([, value]) => value !== null && value.length !== 0)
      made = await post('keys', { tenant: '', ...Object.fromEntries(given) })
    },
  })
  if (!made) return
  reload()
  await showKey(made, 'The key')
}

const showKey = (made, title) => showSecrets(title,
  'Copy these now: they are shown this once. The gateway keeps them hashed or encrypted.', [
    ['Bearer key', made.key], ['Access key', made.access_key], ['Secret key', made.secret_key],
    ['Webhook secret', made.webhook_secret],
  ])

const back = ['#/keys', 'Keys']

export const keyPage = {
  title: 'Key',
  back,
  refresh: () => 15_000,
  load: ({ id }, signal) => get(path('keys', id), {}, signal),

  render: (key, { reload }) => [
    heading(key.name || key.id, {
      back,
      sub: [state(key.status), ' of ', h('a', { href: `#/tenants/${encodeURIComponent(key.tenant)}` }, key.tenant)],
      actions: actions(key, reload),
    }),
    h('div.columns.even', {},
      panel('Key', {}, facts([
        ['Id', code(key.id)],
        key.prefix && ['Begins with', code(key.prefix)],
        ['Access key', key.access_key && code(key.access_key)],
        ['Created', ago(key.created_at)], ['Last used', ago(key.last_used_at)],
        key.previous_until > Date.now() && ['Old secrets end', ago(key.previous_until)],
        key.revoked_at && [key.status === 'ending' ? 'Ends' : 'Revoked', ago(key.revoked_at)],
      ])),
      panel('Limits', { note: 'beside those of the tenant' }, facts(ruleFacts(key)))),
    h('p', {}, h('a', { href: `#/audit?target=${encodeURIComponent(key.id)}` }, 'Who changed this key')),
  ],
}

function actions(key, reload) {
  if (key.status === 'revoked') return []
  return [
    h('button', { type: 'button', onclick: () => edit(key, reload) }, 'Edit'),
    h('button', {
      type: 'button',
      onclick: event => act(event, async () => {
        await patch(path('keys', key.id), { disabled: !key.disabled })
        await reload()
      }, key.disabled ? 'The key works again.' : 'The key is disabled.'),
    }, key.disabled ? 'Enable' : 'Disable'),
    h('button', { type: 'button', onclick: () => rotate(key, reload) }, 'Rotate'),
    h('button.danger', { type: 'button', onclick: () => revoke(key, reload) }, 'Revoke'),
  ]
}

function edit(key, reload) {
  const fields = [{ name: 'name', label: 'Name', value: key.name }, ...ruleFields(key)]
  return formDialog({
    title: `Edit ${key.name || key.id}`, action: 'Save', fields, wide: true,
    async send(form) {
      const given = changes(form, fields)
      if (given.name === null) given.name = ''
      await patch(path('keys', key.id), given)
      reload()
    },
  })
}

async function rotate(key, reload) {
  const fields = [{
    name: 'overlap_seconds', label: 'The old secrets stay valid for', kind: 'select', value: 86_400,
    options: [[0, 'no time: they stop now'], [3600, '1 hour'], [86_400, '1 day'], [604_800, '7 days']],
  }]
  let made
  await formDialog({
    title: `Rotate ${key.name || key.id}`, action: 'Rotate', fields,
    intro: 'The key gets new secrets. Its id, limits and use stay.',
    async send(form) {
      made = await post(path('keys', key.id, 'rotate'),
        { overlap_seconds: Number(values(form, fields).overlap_seconds) })
    },
  })
  if (!made) return
  reload()
  await showKey(made, 'The new secrets')
}

const revoke = (key, reload) => formDialog({
  title: `Revoke ${key.name || key.id}?`, danger: true, action: 'Revoke the key',
  intro: 'Requests with it are answered 401 within a second. Its tasks go on. This cannot be undone.',
  async send() {
    await post(path('keys', key.id, 'revoke'))
    reload()
  },
})
