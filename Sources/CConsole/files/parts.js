// Parts that several pages use: headings, panels, tables, meters.

import { h, svg } from './dom.js'
import { number } from './format.js'

/** The heading of a page, with its actions. */
export const heading = (title, { sub, actions = [], back } = {}) => h('div.heading', {},
  h('div', {},
    back && h('a.back', { href: back[0] }, `‹ ${back[1]}`),
    h('h1', { tabindex: -1 }, title),
    sub && h('p.sub', {}, sub)),
  actions.length > 0 && h('div.actions', {}, actions))

/** A panel with a title. */
export const panel = (title, { actions, note, kind } = {}, ...content) =>
  h(`section.panel${kind ? `.${kind}` : ''}`, {},
  h('header', {}, h('h2', {}, title), note && h('span.note', {}, note), actions),
  ...content)

/**
 * A table that turns into a list of cards on narrow screens.
 * @param {string} caption - for screen readers.
 * @param {{title: string, cell: (row) => any, kind?: string}[]} columns
 * @param {object[]} rows
 * @param {(row) => string} key - identifies a row across updates.
 */
export function table(caption, columns, rows, key, empty = 'Nothing here yet.') {
  if (!rows.length) return h('p.empty', {}, empty)
  const cell = (column, row, index) => h(index === 0 ? 'th' : 'td', {
    role: index === 0 ? 'rowheader' : 'cell', scope: index === 0 ? 'row' : null, class: column.kind,
    'data-title': column.title || null,
  }, column.cell(row))
  const whole = h('table', { role: 'table' },
    h('caption.off-screen', {}, caption),
    h('thead', { role: 'rowgroup' }, h('tr', { role: 'row' }, columns.map(column =>
      h('th', { role: 'columnheader', scope: 'col', class: column.kind },
        column.title || h('span.off-screen', {}, 'Actions'))))),
    h('tbody', { role: 'rowgroup' }, rows.map(row =>
      h('tr', { role: 'row', 'data-key': key(row) }, columns.map((column, index) => cell(column, row, index))))))
  // Many columns may need more room than there is: the keyboard scrolls them, too.
  return columns.length > 8 ? h('div.scroll', { role: 'region', 'aria-label': caption, tabindex: 0 }, whole) : whole
}

/** Names and values. */
export const facts = pairs => h('dl.facts', {}, pairs.filter(Boolean).map(([name, value]) =>
  h('div', {}, h('dt', {}, name), h('dd', {}, value ?? '–'))))

/**
 * A bar of how much of a limit is used; empty without a limit.
 * @param {number} [about.held] - the part of `used` that may become free again.
 * @param {number} [about.warn] - the percentage from which it warns.
 * @param {boolean} [about.mayBeFull] - whether a full one is fine.
 */
export function meter(label, used, limit, { held = 0, warn = 100, mayBeFull = false } = {}) {
  const share = limit ? Math.min(1, used / limit) : 0
  const heldShare = limit ? Math.min(share, held / limit) : 0
  const tone = !limit || mayBeFull ? 'fine' : used >= limit ? 'full' : used * 100 >= limit * warn ? 'near' : 'fine'
  const part = (name, from, width) => svg(`rect.${name}`,
    { x: `${from * 100}%`, width: `${width * 100}%`, height: '100%' })
  return svg(`svg.meter.${tone}`, {
    role: 'meter', 'aria-label': label, 'aria-valuemin': 0, 'aria-valuemax': limit ?? used, 'aria-valuenow': used,
    'aria-valuetext': limit ? `${number(used)} of ${number(limit)}` : number(used),
  }, part('used', 0, share - heldShare), part('held', share - heldShare, heldShare))
}

/** What is shown while a page loads. */
export const loading = () => h('div.loading', { 'aria-busy': 'true' },
  h('span.off-screen', {}, 'Loading'), h('div.bone'), h('div.bone.tall'), h('div.bone'))

/** A part of the page that could not be loaded. */
export const failure = (error, retry) => h('div.failure', { role: 'alert' },
  h('p', {}, error.message), h('button', { type: 'button', onclick: retry }, 'Try again'))

/** Links to pages before and after this one of a list. */
export const pager = ({ first, next }) => h('nav.pager', { 'aria-label': 'Older and newer' },
  first && h('a.button', { href: first }, 'Newest'),
  next && h('a.button', { href: next }, 'Older'))
