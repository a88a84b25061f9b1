// Where the admin token is entered. It is sent once, and kept nowhere in the page.

import { h } from './dom.js'
import { signIn } from './api.js'
import { clearErrors, field, showError } from './forms.js'

/** @param {() => void} done - called once the gateway has accepted the token. */
export function signInPage(done) {
  const submit = h('button.primary', { type: 'submit' }, 'Sign in')
  const form = h('form', {
    novalidate: true,
    onsubmit: async event => {
      event.preventDefault()
      clearErrors(form)
      const input = form.elements.namedItem('token')
      if (!input.value) return showError(form, { param: 'token', message: 'Enter the admin token.' })
      submit.disabled = true
      try {
        await signIn(input.value)
        input.value = ''
        done()
      } catch (error) {
        showError(form, { param: error.status === 401 ? 'token' : undefined, message: error.message })
      } finally {
        submit.disabled = false
      }
    },
  },
  h('img', { src: 'icon.svg', alt: '', width: 40, height: 40 }),
  h('h1', { tabindex: -1 }, 'Kling Gateway'),
  h('p.muted', {}, 'Sign in with the admin token of this gateway.'),
  h('p.summary', { role: 'alert' }),
  // Password managers keep the token under a name.
  h('input', { type: 'text', name: 'username', value: 'admin', autocomplete: 'username', hidden: true }),
  field({
    name: 'token', label: 'Admin token', kind: 'password', autocomplete: 'current-password',
    hint: 'The value of admin.token in the configuration.',
  }),
  submit)
  return h('div.signin', {}, form)
}
