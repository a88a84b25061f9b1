// Charts as inline SVG. Each has its figures as text: in its label, and in a tooltip per bar.

import { h, svg } from './dom.js'
import { compact, number } from './format.js'

/**
 * Bars of one figure over time, as wide as their place.
 * @param {string} label - what screen readers say.
 * @param {number[]} figures
 * @param {(index: number) => string} title - the tooltip of a bar.
 */
export function bars(label, figures, title, kind = 'accent') {
  const most = Math.max(1, ...figures)
  const width = 100 / figures.length
  const frame = { viewBox: '0 0 100 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': label }
  return svg(`svg.bars.${kind}`, frame,
    figures.map((figure, index) => svg('g', {},
      svg('rect.back', { x: index * width, y: 0, width, height: 100 }, svg('title', {}, title(index))),
      figure > 0 && bar(index * width, width, 0, figure / most))))
}

const bar = (x, width, from, share, kind) => svg(`rect${kind ? `.${kind}` : ''}`, {
  x: x + width * 0.14, width: width * 0.72, y: 100 - (from + share) * 100, height: Math.max(share * 100, 1),
})

/**
 * Stacked bars by day, with an axis.
 * @param {string} label
 * @param {{name: string, text: string, parts: [kind: string, figure: number][]}[]} days
 */
export function stackedBars(label, days) {
  const most = niceMaximum(Math.max(1, ...days.map(day => day.parts.reduce((sum, [, figure]) => sum + figure, 0))))
  const width = 100 / days.length
  const every = Math.ceil(days.length / 7)
  return h('div.chart', {},
    h('div.axis', { 'aria-hidden': 'true' }, [most, most / 2, 0].map(value => h('span', {}, compact(value)))),
    svg('svg.bars.stacked', { viewBox: '0 0 100 100', preserveAspectRatio: 'none', role: 'img', 'aria-label': label },
      [0, 50, 100].map(y => svg('line.grid', { x1: 0, x2: 100, y1: y, y2: y })),
      days.map((day, index) => {
        let from = 0
        return svg('g', {},
          svg('rect.back', { x: index * width, y: 0, width, height: 100 }, svg('title', {}, day.text)),
          day.parts.map(([kind, figure]) => {
            const share = figure / most
            from += share
            return figure > 0 && bar(index * width, width, from - share, share, kind)
          }))
      })),
    h('div.days', { 'aria-hidden': 'true' },
      days.map((day, index) => h('span', {}, index % every === 0 ? day.name : ''))))
}

/** A round, even number at or above `value`, so that half of it is whole. */
function niceMaximum(value) {
  const power = 10 ** Math.floor(Math.log10(value))
  return [1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10, 12].map(step => Math.round(step * power))
    .find(most => most >= value && most % 2 === 0)
}

/** The colors of a chart with their names. */
export const legend = entries => h('span.legend', {}, entries.map(([kind, name]) => h(`span.${kind}`, {}, name)))

/** What a chart of the last hour says in words. */
export function hourInWords(what, figures) {
  const sum = figures.reduce((one, other) => one + other, 0)
  const most = Math.max(0, ...figures)
  return `${what} per minute over the last hour: ${number(sum)} in all, at most ${number(most)} in a minute`
}
