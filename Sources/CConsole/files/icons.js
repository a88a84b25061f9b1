// Small drawings beside words.

import { svg } from './dom.js'

const drawings = {
  overview: 'M2.5 2.5h4.5v6h-4.5zM9 2.5h4.5v3.5h-4.5zM9 8.5h4.5v5h-4.5zM2.5 11h4.5v2.5h-4.5z',
  tasks: 'M6 4h7.5M6 8h7.5M6 12h7.5M2.5 4h.5M2.5 8h.5M2.5 12h.5',
  callbacks: 'M2.5 8a5.5 5.5 0 0 1 9.5-3.8L13.5 6M13.5 2.5V6H10M13.5 8a5.5 5.5 0 0 1-9.5 3.8L2.5 10M2.5 13.5V10H6',
  keys: 'M10 2.5a3.5 3.5 0 1 1-2.7 5.7L2.5 13v.5h2.5v-2h2v-2l.8-.8M10.7 5.3h.1',
  tenants: 'M6 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM1.5 13.5a4.5 4.5 0 0 1 9 0M11 7.5a2 2 0 1 0-.8-3.8' +
    'M12 9.8a4 4 0 0 1 2.5 3.7',
  usage: 'M3 13.5v-4M6.5 13.5v-8M10 13.5v-5.5M13.5 13.5v-11',
  audit: 'M8 13.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM8 5v3l2 1.5',
  try: 'M6.7 4.8a1.6 1.6 0 1 1 2.3 1.4c-.7.3-1 .7-1 1.3v.3l5.5 3.4c.9.6.5 1.8-.5 1.8H3c-1 0-1.4-1.2-.5-1.8L8 7.8',
  leave: 'M6.5 13.5h-3a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1h3M10.5 11 13.5 8l-3-3M13.5 8H6',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  picture: 'M2.5 3h11v10h-11zM2.5 11l3-3.5 2.5 2.5 2-2 3.5 3.5M10.5 5.8h.1',
}

/** A drawing of 16 by 16, in the color of the text. */
export const icon = name =>
  svg('svg.icon', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { d: drawings[name] }))
