// The rules that keys and tenants share: their fields in forms, and how they read.

import { h } from './dom.js'
import { ago, number } from './format.js'

/** The fields of a key's or a tenant's rules. */
export const ruleFields = (rules = {}) => [
  {
    name: 'requests_per_minute', label: 'Requests per minute', kind: 'number', value: rules.requests_per_minute,
    placeholder: 'no limit',
  },
  { name: 'concurrency', label: 'Running tasks', kind: 'number', value: rules.concurrency, placeholder: 'no limit' },
  {
    name: 'models', label: 'Models', kind: 'list', value: rules.models ?? [], placeholder: 'all',
    hint: 'Names, with commas between them.',
  },
  {
    name: 'addresses', label: 'Addresses', kind: 'list', value: rules.addresses ?? [], placeholder: 'any',
    hint: 'Addresses or ranges, such as 192.0.2.0/24.',
  },
  { name: 'expires_at', label: 'Expires', kind: 'time', value: rules.expires_at },
]

/** The rules of a key or a tenant, as names and values. */
export const ruleFacts = rules => [
  ['Requests per minute', rules.requests_per_minute ? number(rules.requests_per_minute) : 'no limit'],
  ['Running tasks', rules.concurrency ? number(rules.concurrency) : 'no limit'],
  ['Models', rules.models?.length ? rules.models.join(', ') : 'all'],
  ['Addresses', rules.addresses?.length ? rules.addresses.join(', ') : 'any'],
  ['Expires', rules.expires_at ? ago(rules.expires_at) : 'never'],
]

/** The limits in a few words, for a row of a table. */
export function limitsInWords({ requests_per_minute: rate, concurrency, models, addresses }) {
  const words = [
    rate && `${number(rate)} per minute`,
    concurrency && `${number(concurrency)} at once`,
    models?.length && (models.length === 1 ? models[0] : `${models.length} models`),
    addresses?.length && (addresses.length === 1 ? addresses[0] : `${addresses.length} addresses`),
  ].filter(Boolean)
  return words.length ? words.join(', ') : h('span.muted', {}, 'none')
}
