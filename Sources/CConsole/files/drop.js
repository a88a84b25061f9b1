// A place for a picture: by the file dialog, or dropped on it.

import { h } from './dom.js'
import { bytes } from './format.js'
import { frame } from './pictures.js'

const types = ['image/jpeg', 'image/png', 'image/webp']
const mostBytes = 10_000_000
const leastSide = 300

/**
 * Builds a place for a picture.
 * @param {{url: string, name: string}} [about.shown] - the picture that is in it.
 * @param {(file: File, input: HTMLInputElement) => void} about.choose
 */
export function dropZone({ name, label, hint, shown, choose }) {
  const id = `drop-${name}`
  const take = (zone, files) => files.length && choose(files[0], zone.querySelector('input'))
  return h('div.zone', {
    'data-key': id,
    ondragover: event => { event.preventDefault(); event.currentTarget.classList.add('over') },
    ondragleave: event => event.currentTarget.classList.remove('over'),
    ondrop: event => {
      event.preventDefault()
      event.currentTarget.classList.remove('over')
      take(event.currentTarget, event.dataTransfer.files)
    },
  },
  h('label', { for: id },
    frame(label, shown, { note: `${hint}. Drop it here, or choose a file.`, alt: `${label}: ${shown?.name}` }),
    shown && h('span.facts', {}, `${shown.width} × ${shown.height}, ${bytes(shown.size)}`)),
  h('input.off-screen', {
    id, name, type: 'file', accept: types.join(','), required: true, 'aria-describedby': `${id}-error`,
    'aria-label': `${label}: choose a picture`,
    onchange: event => take(event.currentTarget.closest('.zone'), event.currentTarget.files),
  }),
  h('p.error', { id: `${id}-error` }))
}

/**
 * Reads a picture that the user chose.
 * @returns `{url, name, size, width, height, base64}`
 * @throws an error in words if Kling would not take it.
 */
export async function readPicture(file) {
  if (!types.includes(file.type)) throw new Error(`${file.name} is no JPEG, PNG or WebP picture.`)
  if (file.size > mostBytes) throw new Error(`${file.name} has ${bytes(file.size)}; at most 10 MB are taken.`)
  const url = URL.createObjectURL(file)
  const image = new Image()
  image.src = url
  await image.decode().catch(() => { throw new Error(`${file.name} cannot be read as a picture.`) })
  const { naturalWidth: width, naturalHeight: height } = image
  if (Math.min(width, height) < leastSide) {
    throw new Error(`${file.name} has ${width} × ${height} pixels; each side needs at least ${leastSide}.`)
  }
  return { url, name: file.name, size: file.size, width, height, base64: await base64(file) }
}

const base64 = file => new Promise((resolve, reject) => {
  const reader = new FileReader()
  reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1))
  reader.onerror = () => reject(new Error(`${file.name} cannot be read.`))
  reader.readAsDataURL(file)
})
