// Builds elements, and brings a tree on the page up to date without losing focus, scroll positions or typed text.

const SVG = 'http://www.w3.org/2000/svg'
const handlers = Symbol('handlers')

/**
 * Builds an element.
 * @param {string} name - `div`, or with classes `div.card.wide`.
 * @param {object} props - attributes. `onclick` and the like are handlers; false, null and undefined are left out.
 * @param children - nodes, text, or arrays of them; false, null and undefined are left out.
 */
export function h(name, props = {}, ...children) {
  const [tag, ...classes] = name.split('.')
  return fill(document.createElement(tag), classes, props, children)
}

/** Builds an SVG element, as `h` does. */
export function svg(name, props = {}, ...children) {
  const [tag, ...classes] = name.split('.')
  return fill(document.createElementNS(SVG, tag), classes, props, children)
}

function fill(element, classes, props, children) {
  if (classes.length) element.setAttribute('class', classes.join(' '))
  element[handlers] = {}
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === false || value === null || value === undefined) continue
    if (name.startsWith('on')) element[name] = element[handlers][name] = value
    else element.setAttribute(name, value === true ? '' : value)
  }
  element.append(...children.flat(Infinity).filter(child => child !== false && child !== null && child !== undefined))
  return element
}

/** Makes the children of `parent` equal to `fresh`. Elements with the same `data-key` stay the same elements. */
export function update(parent, ...fresh) {
  updateChildren(parent, fresh.flat(Infinity).filter(Boolean).map(child =>
    child instanceof Node ? child : document.createTextNode(child)))
}

const keyOf = node => node?.dataset?.key

function isSame(old, fresh) {
  return old.nodeName === fresh.nodeName && keyOf(old) === keyOf(fresh)
}

function updateChildren(parent, fresh) {
  const wanted = new Set(fresh.map(keyOf))
  fresh.forEach((child, index) => {
    let old = parent.childNodes[index]
    if (keyOf(child) !== undefined && keyOf(old) !== keyOf(child)) {
      const moved = [...parent.childNodes].slice(index).find(node => keyOf(node) === keyOf(child))
      if (moved) parent.insertBefore(old = moved, parent.childNodes[index])
      else if (old && wanted.has(keyOf(old))) return parent.insertBefore(child, old)
    }
    if (!old) parent.append(child)
    else if (isSame(old, child)) updateNode(old, child)
    else old.replaceWith(child)
  })
  while (parent.childNodes.length > fresh.length) parent.lastChild.remove()
}

function updateNode(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data
    return
  }
  for (const { name } of [...old.attributes]) {
    // A user opens and closes details; the page does not.
    if (!fresh.hasAttribute(name) && !(name === 'open' && old.nodeName === 'DETAILS')) setAttribute(old, name, null)
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) setAttribute(old, name, value)
  }
  for (const name of Object.keys(old[handlers] ?? {})) old[name] = null
  Object.assign(old, old[handlers] = fresh[handlers] ?? {})
  updateChildren(old, [...fresh.childNodes])
}

/** Sets or removes an attribute. What a user has typed or chosen changes only if the page's own value does. */
function setAttribute(element, name, value) {
  if (value === null) element.removeAttribute(name)
  else element.setAttribute(name, value)
  if (name === 'value' && element.nodeName === 'INPUT') element.value = value ?? ''
  if (name === 'checked' || name === 'selected') element[name] = value !== null
}

/** Tells the user, and screen readers, what happened. */
export function notify(text, kind = 'info') {
  const notice = h(`p.notice.${kind}`, { role: 'status' }, text)
  // An open dialog makes the rest of the page inert, its live region included.
  const place = document.querySelector('dialog[open]') ?? document.getElementById('notices')
  place.append(notice)
  setTimeout(() => notice.remove(), 6000)
}

/** A button that copies what `text` returns. */
export function copyButton(text, label) {
  return h('button.quiet.copy', {
    type: 'button', 'aria-label': label,
    onclick: async event => {
      const button = event.currentTarget
      try {
        await copyText(text())
        notify('Copied.')
      } catch {
        notify('The browser does not allow copying. Select the text and copy it.', 'bad')
      }
      button.focus()
    },
  }, 'Copy')
}

async function copyText(text) {
  // The Clipboard API needs https or localhost; elsewhere, a selection is copied.
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const area = h('textarea', { readonly: true, class: 'off-screen' })
  area.value = text
  const host = document.querySelector('dialog[open]') ?? document.body
  host.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}
