// The secrets that sign a tenant's callbacks: shown only when asked for.

import { h } from './dom.js'
import { get, path, post } from './api.js'
import { act, formDialog, showSecrets } from './dialogs.js'
import { values } from './forms.js'
import { panel } from './parts.js'

export const webhooks = tenant => panel('Webhook secret', { note: 'signs its callbacks' },
  h('div.buttons.padded', {},
    h('button', { type: 'button', onclick: event => act(event, () => show(tenant)) }, 'Show'),
    h('button', { type: 'button', onclick: () => rotate(tenant) }, 'Rotate'),
    h('button', { type: 'button', onclick: () => test(tenant) }, 'Send a test')))

async function show({ name }) {
  const { webhook_secret: secret, previous } = await get(path('tenants', name, 'webhook-secrets'))
  // Not awaited: the button that asked for it is free again.
  showSecrets(`Webhook secret of ${name}`,
    previous ? 'Callbacks are signed with both, until the previous one ends.' : 'Callbacks are signed with it.',
    [['Current secret', secret], ['Previous secret', previous]])
}

async function rotate({ name }) {
  const fields = [{
    name: 'overlap_seconds', label: 'Callbacks are signed with the old one too for', kind: 'select', value: 86_400,
    options: [[0, 'no time'], [3600, '1 hour'], [86_400, '1 day'], [604_800, '7 days']],
  }]
  let made
  await formDialog({
    title: `Rotate the webhook secret of ${name}`, action: 'Rotate', fields,
    async send(form) {
      made = await post(path('tenants', name, 'webhook-secrets', 'rotate'),
        { overlap_seconds: Number(values(form, fields).overlap_seconds) })
    },
  })
  if (!made) return
  await showSecrets(`The new webhook secret of ${name}`, 'Give it to the receiver before the old one ends.',
    [['New secret', made.webhook_secret]])
}

function test({ name }) {
  const fields = [{
    name: 'url', label: 'Receiver', required: true, placeholder: 'https://',
    hint: 'It gets one signed callback of a made-up task.',
  }]
  const outcome = h('p.callout', { role: 'status' })
  return formDialog({
    title: `Send a test callback of ${name}`, action: 'Send', fields, footnote: outcome, staysOpen: true,
    async send(form) {
      outcome.textContent = ''
      const { status } = await post(path('tenants', name, 'webhook-test'), { url: values(form, fields).url ?? '' })
      outcome.textContent = `The receiver answered ${status}.`
    },
  })
}
