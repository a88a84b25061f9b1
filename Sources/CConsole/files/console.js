// The frame: sign-in, navigation, and the page that the address names.

import { h, update, notify } from './dom.js'
import { get, session, signOut } from './api.js'
import { audit } from './audit.js'
import { deliveries } from './deliveries.js'
import { icon } from './icons.js'
import { keyPage, keys } from './keys.js'
import { overview } from './overview.js'
import { failure, heading, loading } from './parts.js'
import { signInPage } from './signin.js'
import { taskPage } from './task.js'
import { tasks } from './tasks.js'
import { tenantPage, tenants } from './tenants.js'
import { tryOn } from './try.js'
import { usage } from './usage.js'

/**
 * The pages by the first part of the address: a list, and what a second part shows.
 *
 * A page has a `title`, `load(route, signal)` which reads its data, `render(data, route)` which returns its nodes, and
 * may have `refresh(data)`: after how many milliseconds it is read again; nothing for never. `back` is the address and
 * the title of its list.
 */
const pages = {
  '': { list: overview, icon: 'overview' },
  tasks: { list: tasks, one: taskPage, icon: 'tasks' },
  callbacks: { list: deliveries, icon: 'callbacks' },
  keys: { list: keys, one: keyPage, icon: 'keys' },
  tenants: { list: tenants, one: tenantPage, icon: 'tenants' },
  usage: { list: usage, icon: 'usage' },
  audit: { list: audit, icon: 'audit' },
  try: { list: tryOn, one: tryOn, icon: 'try' },
}

const main = document.getElementById('main')
const bar = document.getElementById('bar')
let current = null
let isSignedIn = false

/** What the address after `#/` says. */
function readRoute() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?')
  const [first, ...rest] = path.split('/')
  const section = first === 'overview' ? '' : first
  const id = rest.length ? decoded(rest.join('/')) : undefined
  return { section, id, query: Object.fromEntries(new URLSearchParams(query)) }
}

/** A part of the address without escapes; as it is if its escapes are broken. */
function decoded(text) {
  try { return decodeURIComponent(text) } catch { return text }
}

/** Shows the page of the address. A page that is left stops loading and refreshing. */
function show() {
  current?.abort.abort()
  clearTimeout(current?.timer)
  const { section, id, query } = readRoute()
  const entry = pages[section]
  const page = entry && (id === undefined ? entry.list : entry.one)
  showBar(section)
  setMenu(false)
  if (!page) return showMissing()
  const isNewPage = current?.page !== page || current?.id !== id
  current = { page, id, query, abort: new AbortController(), isNewPage }
  current.reload = () => load(current)
  current.redraw = () => current.data !== undefined && draw(current)
  document.title = `${id ?? page.title} · Kling Gateway`
  if (isNewPage) {
    update(main, heading(id ?? page.title, { back: page.back, sub: '\u00a0' }), loading())
    scrollTo(0, 0)
    if (show.isFollowed) main.querySelector('h1').focus({ preventScroll: true })
  }
  show.isFollowed = true
  load(current)
}

async function load(view) {
  clearTimeout(view.timer)
  try {
    const data = await (view.page.load?.(view, view.abort.signal) ?? {})
    if (view !== current || !isSignedIn) return
    view.data = data
    draw(view)
  } catch (error) {
    if (error.name === 'AbortError' || view !== current || !isSignedIn) return
    fail(view, error)
  }
  plan(view)
}

function draw(view) {
  const atHeading = document.activeElement === main.querySelector('h1')
  update(main, view.page.render(view.data, view))
  if (atHeading) main.querySelector('h1')?.focus({ preventScroll: true })
  view.hasFailed = false
}

function fail(view, error) {
  if (view.data === undefined) {
    return update(main, heading(view.id ?? view.page.title, { back: view.page.back }), failure(error, view.reload))
  }
  // What is on the page stays, and the problem is told once.
  if (!view.hasFailed) notify(error.message, 'bad')
  view.hasFailed = true
}

function plan(view) {
  const pause = view.data === undefined ? undefined : view.page.refresh?.(view.data)
  if (!pause) return
  view.timer = setTimeout(() => (document.hidden ? plan(view) : load(view)), pause)
}

function showMissing() {
  current = null
  update(main, heading('No such page'), h('p', {}, 'The address names no page of the console. ',
    h('a', { href: '#/' }, 'Overview')))
}

// The bar

function showBar(section) {
  const button = h('button.quiet.menu', {
    type: 'button', 'aria-expanded': 'false', 'aria-controls': 'pages',
    onclick: event => setMenu(event.currentTarget.getAttribute('aria-expanded') !== 'true'),
  }, icon('menu'), 'Menu')
  const link = ([name, { list, icon: image }]) => h('li', {}, h('a', {
    href: `#/${name}`, 'aria-current': name === section ? 'page' : null,
  }, icon(image), list.title))
  update(bar,
    h('a.brand', { href: '#/' }, h('img', { src: 'icon.svg', alt: '', width: 24, height: 24 }), 'Kling Gateway'),
    button,
    h('nav', { id: 'pages', 'aria-label': 'Pages' },
      h('ul', {}, Object.entries(pages).map(link)),
      h('button.quiet.leave', { type: 'button', onclick: leave }, icon('leave'), 'Sign out')))
}

function setMenu(isOpen) {
  bar.classList.toggle('open', isOpen)
  bar.querySelector('.menu')?.setAttribute('aria-expanded', String(isOpen))
}

addEventListener('keydown', event => {
  if (event.key !== 'Escape' || !bar.classList.contains('open')) return
  setMenu(false)
  bar.querySelector('.menu').focus()
})

// The session

function showSignIn() {
  current?.abort.abort()
  clearTimeout(current?.timer)
  current = null
  isSignedIn = false
  for (const dialog of document.querySelectorAll('dialog')) dialog.close()
  document.title = 'Sign in · Kling Gateway'
  document.body.classList.add('signed-out')
  update(bar)
  update(main, signInPage(begin))
  main.querySelector('[type=password]').focus()
}

function begin() {
  isSignedIn = true
  document.body.classList.remove('signed-out')
  show()
}

async function leave() {
  try {
    await signOut()
    isSignedIn = false
    // Without a token in the configuration, this machine needs no session.
    await get('instance')
    isSignedIn = true
    notify('The gateway has no admin token: this machine is always signed in.')
  } catch (error) {
    if (error.status !== 401) notify(error.message, 'bad')
  }
}

session.onEnd = () => {
  if (isSignedIn) notify('The session has ended. Sign in again.')
  showSignIn()
}

async function start() {
  try {
    await get('instance')
    begin()
  } catch (error) {
    if (error.status !== 401) update(main, heading('Kling Gateway'), failure(error, start))
  }
}

document.querySelector('.skip').onclick = event => {
  event.preventDefault()
  main.focus()
}
addEventListener('hashchange', () => isSignedIn && show())
start()
