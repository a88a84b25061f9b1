// Fields with labels, hints and errors, and the values that they stand for.

import { h } from './dom.js'

let count = 0

/** Builds a field of a page. It has the same id whenever the page is drawn again, so that it stays the same element. */
export const field = about => build(about, `field-${about.name}`)

/** Builds the fields of a page, one of which an error may name. */
export const fieldsWith = (problem, fields) => fields.map(about =>
  field({ ...about, error: about.name === problem?.param && problem.message }))

/** Builds a field of a dialog, in which names may be repeated or change. */
export const dialogField = about => build(about, `dialog-field-${++count}`)

/**
 * Builds a field from its description.
 *
 * - name: the member of the request; an error that names it is shown here
 * - label, hint, value, required, placeholder, autocomplete
 * - kind: text, number, list (of words), time, select, check, password, date
 * - error: what is wrong with the value
 * - options: for select, pairs of value and text; for others, suggestions
 */
function build(about, id) {
  const kind = kinds[about.kind ?? 'text']
  const input = kind.build({
    id, name: about.name, required: about.required, 'aria-describedby': `${id}-error${about.hint ? ` ${id}-hint` : ''}`,
    placeholder: about.placeholder, autocomplete: about.autocomplete ?? 'off', spellcheck: 'false',
    'aria-invalid': about.error ? 'true' : null, oninput: event => markRight(event.currentTarget),
  }, about)
  const label = h('label', { for: id }, about.label)
  const parts = about.kind === 'check' ? [h('div.check', {}, input, label)] : [label, input]
  if (about.options && about.kind !== 'select') {
    input.setAttribute('list', `${id}-list`)
    parts.push(h('datalist', { id: `${id}-list` }, about.options.map(value => h('option', { value }))))
  }
  return h(`div.field.${about.kind ?? 'text'}`, {},
    ...parts,
    about.hint && h('p.hint', { id: `${id}-hint` }, about.hint),
    h('p.error', { id: `${id}-error` }, about.error))
}

const input = type => (props, about) => h('input',
  { ...props, type, value: about.value ?? null, inputmode: about.inputmode })

const trimmed = text => text.trim() || null

const kinds = {
  text: { build: input('text'), read: element => trimmed(element.value) },
  password: { build: input('password'), read: element => element.value },
  date: { build: input('date'), read: element => element.value || null },
  number: {
    build: (props, about) => h('input', { ...props, type: 'text', inputmode: 'numeric', value: about.value ?? null }),
    // What is not a number goes to the gateway as it is, which says what is wrong with it.
    read: element => {
      const text = trimmed(element.value)
      return text === null || !Number.isFinite(Number(text)) ? text : Number(text)
    },
  },
  list: {
    build: (props, about) => h('input', { ...props, type: 'text', value: (about.value ?? []).join(', ') || null }),
    read: element => element.value.split(/[\s,]+/).filter(Boolean),
  },
  time: {
    build: (props, about) =>
      h('input', { ...props, type: 'datetime-local', value: about.value ? localTime(about.value) : null }),
    read: element => (element.value ? new Date(element.value).getTime() : null),
  },
  select: {
    build: (props, about) => h('select', { ...props, onchange: about.onchange }, about.options.map(([value, text]) =>
      h('option', { value, selected: String(about.value ?? '') === String(value) }, text))),
    read: element => element.value || null,
  },
  check: {
    build: (props, about) => h('input', { ...props, type: 'checkbox', checked: Boolean(about.value) }),
    read: element => element.checked,
  },
}

/** A time as a date field writes it. */
function localTime(time) {
  const date = new Date(time - new Date(time).getTimezoneOffset() * 60_000)
  return date.toISOString().slice(0, 16)
}

/** The values of a form's fields, by their names. */
export function values(form, fields) {
  return Object.fromEntries(fields.map(about =>
    [about.name, kinds[about.kind ?? 'text'].read(form.elements.namedItem(about.name))]))
}

/** The values that differ from those that the form began with. */
export function changes(form, fields) {
  const now = Object.entries(values(form, fields))
  const began = Object.fromEntries(fields.map(about => [about.name, about.value ?? emptyOf(about.kind)]))
  return Object.fromEntries(now.filter(([name, value]) => {
    const about = fields.find(each => each.name === name)
    const before = about.kind === 'time' && began[name] ? new Date(localTime(began[name])).getTime() : began[name]
    return JSON.stringify(value) !== JSON.stringify(before)
  }))
}

const emptyOf = kind => ({ list: [], check: false }[kind] ?? null)

/** Shows an error beside the field that it names, else at the top of the form. */
export function showError(form, error) {
  for (const element of form.elements) markRight(element)
  const summary = form.querySelector('.summary')
  const element = error.param && findField(form, error.param)
  if (element) {
    element.setAttribute('aria-invalid', 'true')
    errorOf(element).textContent = error.message
    element.focus()
  } else {
    summary.textContent = error.message
  }
}

/** Removes the errors of a form. */
export function clearErrors(form) {
  for (const element of form.elements) markRight(element)
  form.querySelector('.summary').textContent = ''
}

function findField(form, param) {
  const elements = [...form.elements]
  return elements.find(({ name }) => name === param)
    ?? elements.find(({ name }) => name && name.startsWith(`${param}.`))
    ?? elements.find(({ name }) => name === param.split(/[.[]/)[0])
}

const errorOf = element => document.getElementById(element.getAttribute('aria-describedby')?.split(' ')[0] ?? '')

function markRight(element) {
  if (element.getAttribute('aria-invalid') !== 'true') return
  element.removeAttribute('aria-invalid')
  errorOf(element).textContent = ''
}
