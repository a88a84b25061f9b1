// Calls of the admin API, all to the origin that the page came from.

/** An error that the gateway answered, or its silence (status 0). */
export class APIError extends Error {
  /** @param {string} [param] - the member of the request that the error names. */
  constructor(status, message, param) {
    super(message)
    this.status = status
    this.param = param
  }
}

/** Called when the gateway asks for the token. */
export const session = { onEnd: () => {} }

// Relative to /console/, so that a proxy may serve the admin listener below a path of its own.
const base = '../admin/v1/'
const sessionURL = '../session'

/** The URL of a path of the admin API, with the parameters that have a value. */
export function link(path, query = {}) {
  const entries = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '')
  const text = new URLSearchParams(entries).toString()
  return base + path + (text ? `?${text}` : '')
}

async function send(method, url, body, signal) {
  const headers = { Accept: 'application/json', 'X-Requested-With': 'kling-gateway-console' }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  let answer
  try {
    answer = await fetch(url, {
      method, headers, signal, credentials: 'same-origin', cache: 'no-store', redirect: 'error',
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  } catch (error) {
    if (error.name === 'AbortError') throw error
    throw new APIError(0, 'The gateway does not answer. Check that it runs and that this machine reaches it.')
  }
  if (answer.ok) return answer
  const problem = await answer.json().catch(() => ({}))
  if (answer.status === 401 && url !== sessionURL) session.onEnd()
  throw new APIError(answer.status, problem.error ?? `The gateway answered ${answer.status}.`, problem.param)
}

const json = async answer => (answer.status === 204 ? null : answer.json())

/** Reads a path of the admin API. */
export const get = async (path, query, signal) => json(await send('GET', link(path, query), undefined, signal))

/** Reads a path like `get`; if an error names a parameter, returns `[]` with the error as its `problem`. */
export const find = (...about) => get(...about).catch(error => {
  if (!error.param) throw error
  return Object.assign([], { problem: error })
})

/** Sends a change to a path of the admin API. */
export const post = async (path, body = {}) => json(await send('POST', link(path), body))
export const patch = async (path, body) => json(await send('PATCH', link(path), body))

/** Reads a picture, as a blob. */
export const picture = async (path, signal) => (await send('GET', link(path), undefined, signal)).blob()

/** Exchanges the token for a session cookie, which the page cannot read. */
export const signIn = token => send('POST', sessionURL, { token })
export const signOut = () => send('DELETE', sessionURL)

/** A path of the admin API, its parts escaped. */
export const path = (...parts) => parts.map(encodeURIComponent).join('/')
