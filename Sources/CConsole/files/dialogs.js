// Modal dialogs: the browser keeps the focus inside, closes them with Esc, and returns the focus.

import { h, notify, copyButton } from './dom.js'
import { dialogField, showError, clearErrors } from './forms.js'

let count = 0

/**
 * Opens a dialog.
 * @param {string} title
 * @param {(close: () => void) => Node[]} content - builds what is in it.
 * @returns a promise that ends when it is closed.
 */
export function openDialog(title, content, { wide = false } = {}) {
  const id = `dialog-${++count}`
  return new Promise(resolve => {
    const dialog = h(`dialog${wide ? '.wide' : ''}`, {
      'aria-labelledby': id,
      onclose: () => {
        dialog.remove()
        // The element that opened it may be gone: the browser then focuses nothing.
        if (document.activeElement === document.body) document.querySelector('main h1')?.focus()
        resolve()
      },
    })
    const close = () => dialog.close()
    dialog.append(
      h('header', {},
        h('h2', { id }, title),
        h('button.quiet.close', { type: 'button', 'aria-label': 'Close', onclick: close }, '×')),
      ...content(close))
    document.body.append(dialog)
    dialog.showModal()
    const first = dialog.querySelector('[autofocus], .body input:not([type=hidden]), .body select, .body textarea')
    first?.focus()
  })
}

/**
 * Opens a dialog with a form. It closes when `send` succeeds; an error is shown in the form.
 * @param {object} about
 * @param {Node[]} [about.body] - instead of fields.
 * @param {Node} [about.footnote] - below the fields.
 * @param {boolean} [about.staysOpen] - whether it stays open when `send` succeeds.
 * @param {(form: HTMLFormElement) => Promise<void>} about.send
 */
export function formDialog({
  title, intro, fields = [], body, action, danger = false, wide = false, footnote, staysOpen = false, send,
}) {
  return openDialog(title, close => {
    const submit = h(`button.${danger ? 'danger' : 'primary'}`, { type: 'submit' }, action)
    const form = h('form', {
      novalidate: true,
      onsubmit: async event => {
        event.preventDefault()
        clearErrors(form)
        submit.disabled = true
        try {
          await send(form)
          if (!staysOpen) close()
        } catch (error) {
          showError(form, error)
        } finally {
          submit.disabled = false
        }
      },
    },
    h('div.body', {},
      intro && h('p', {}, intro),
      h('p.summary', { role: 'alert' }),
      body ?? h('div', { class: wide ? 'grid' : null }, fields.map(dialogField)),
      footnote),
    h('footer', {},
      h('button', { type: 'button', onclick: close, autofocus: danger }, staysOpen ? 'Close' : 'Cancel'), submit))
    return [form]
  }, { wide })
}

/**
 * Shows secrets, once, with buttons to copy them.
 * @param {[label: string, secret: string][]} secrets
 */
export function showSecrets(title, intro, secrets) {
  return openDialog(title, close => [
    h('div.body', {},
      h('p.callout', {}, intro),
      secrets.filter(([, secret]) => secret).map(([label, secret]) => h('div.secret', {},
        h('span.label', {}, label),
        h('code', {}, secret),
        copyButton(() => secret, `Copy the ${label.toLowerCase()}`)))),
    h('footer', {}, h('button.primary', { type: 'button', onclick: close, autofocus: true }, 'Done')),
  ], { wide: true })
}

/** Runs an action of a button: disables it meanwhile, and says what went wrong. */
export async function act(event, work, done) {
  const button = event.currentTarget
  button.disabled = true
  try {
    await work()
    if (done) notify(done, 'good')
  } catch (error) {
    notify(error.message, 'bad')
  } finally {
    button.disabled = false
  }
}
