// Numbers, times and states as text.

import { h } from './dom.js'

const whole = new Intl.NumberFormat('en-US')
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 })
const stamp = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const clockTime = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })
const dayOnly = new Intl.DateTimeFormat('en-US', { month: 'short', day: 'numeric', timeZone: 'UTC' })

export const number = value => (value === null || value === undefined ? '–' : whole.format(value))
export const compact = value => (value < 10_000 ? whole.format(value) : short.format(value))
export const plural = (count, one, many = one + 's') => `${number(count)} ${count === 1 ? one : many}`
export const day = text => dayOnly.format(new Date(text))

/** A size in bytes. */
export function bytes(count) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = count < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(count) / 3))
  return `${(count / 1000 ** power).toFixed(power && count / 1000 ** power < 100 ? 1 : 0)} ${units[power]}`
}

/** A duration in milliseconds, in its two largest units. */
export function duration(milliseconds) {
  const seconds = milliseconds / 1000
  if (seconds < 0.1) return `${Math.round(milliseconds)} ms`
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.round(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`
}

/** How long ago, or how far ahead, a time is. */
export function relative(time) {
  const distance = Date.now() - time
  const size = Math.abs(distance)
  const [value, unit] = size < 60_000 ? [size / 1000, 's'] : size < 3_600_000 ? [size / 60_000, 'min']
    : size < 172_800_000 ? [size / 3_600_000, 'h'] : [size / 86_400_000, 'days']
  if (size < 1000) return 'now'
  return distance < 0 ? `in ${Math.round(value)} ${unit}` : `${Math.floor(value)} ${unit} ago`
}

/** A time as an element: relative, with the exact time as a tooltip. */
export function ago(time, otherwise = 'never') {
  if (!time) return h('span.muted', {}, otherwise)
  return h('time', { datetime: new Date(time).toISOString(), title: exact(time) }, relative(time))
}

export const exact = time => stamp.format(time)

/** The time of day. */
export const clock = time => clockTime.format(time)

/** Money by currency, such as `{"USD": 0.07}`. */
export function money(cash) {
  const entries = Object.entries(cash ?? {})
  if (!entries.length) return '–'
  return entries.map(([currency, amount]) => {
    try { return new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(amount) }
    catch { return `${whole.format(amount)} ${currency}` }
  }).join(' + ')
}

const tones = {
  good: ['succeed', 'active', 'delivered', 'healthy'],
  busy: ['queued', 'submitted', 'processing', 'intent', 'waiting'],
  warn: ['ending', 'saturated', 'cooling', 'superseded', 'expired', 'unknown', 'stuck', 'unreached'],
  bad: ['failed', 'refused', 'disabled'],
}
const words = { succeed: 'succeeded', intent: 'sending' }

/** A state as a labeled dot: its color repeats what the word says. */
export function state(word) {
  const tone = Object.keys(tones).find(tone => tones[tone].includes(word)) ?? 'none'
  return h(`span.state.${tone}`, {}, words[word] ?? word)
}

export const isFinal = word => ['succeed', 'failed', 'refused'].includes(word)

/** A message with its names, which are between backticks, in fixed width. */
export const prose = text => text.split('`').map((part, index) => (index % 2 ? code(part) : part))

/** An id in full, in fixed width. */
export const code = text => h('code', {}, text)
