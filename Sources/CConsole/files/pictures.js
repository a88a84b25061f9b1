// Pictures of a try-on. Those that the user chose live in this page only; the result comes through the gateway.

import { h } from './dom.js'
import { path, picture } from './api.js'
import { icon } from './icons.js'

/** The chosen pictures by the id of the task that was made of them: `{person, garment}`, each `{url, name}`. */
export const chosen = new Map()

const results = new Map()
const mostResults = 20

/**
 * The result of a task as `{url}`, or why there is none as `{problem}`; undefined while it is read.
 * @param {() => void} redraw - called when it has arrived.
 */
export function result(task, redraw) {
  if (task.state !== 'succeed') return undefined
  if (!results.has(task.id)) {
    results.set(task.id, {})
    if (results.size > mostResults) forget(results.keys().next().value)
    picture(path('tasks', task.id, 'picture')).then(
      blob => results.set(task.id, { url: URL.createObjectURL(blob) }),
      error => results.set(task.id, { problem: error.message })).then(redraw)
  }
  return results.get(task.id)
}

function forget(id) {
  if (results.get(id).url) URL.revokeObjectURL(results.get(id).url)
  results.delete(id)
}

/** A picture with its caption, or an empty frame of the same size. */
export const frame = (caption, shown, { alt, note } = {}) => h('figure.frame', {},
  h('div.canvas', {}, shown?.url
    ? h('img', { src: shown.url, alt })
    : h('div.blank', {}, icon('picture'), h('p', {}, shown?.problem ?? note))),
  h('figcaption', {}, caption, shown?.name && h('span.muted', {}, ` ${shown.name}`)))

/** Person, garment and result beside each other. */
export function triptych(task, redraw) {
  const given = chosen.get(task.id)
  const made = result(task, redraw)
  const kept = 'The gateway does not keep the pictures that a client sends.'
  return h('div.triptych', {},
    frame('Person', given?.person, { note: kept, alt: 'The person' }),
    frame('Garment', given?.garment, { note: kept, alt: 'The garment' }),
    frame('Result', made, { alt: 'The person wearing the garment', note: noteOf(task, made) }))
}

/** The result of a task whose other pictures are not at hand. */
export const resultAlone = (task, redraw) => h('div.padded', {},
  frame(h('span.muted.small', {}, 'The gateway does not keep the pictures that a client sends.'), result(task, redraw),
    { alt: 'The person wearing the garment', note: 'Loading the picture' }))

function noteOf(task, made) {
  if (made) return 'Loading the picture'
  if (task.state === 'failed' || task.state === 'refused') return 'The task failed: there is no picture.'
  return 'In the making'
}
