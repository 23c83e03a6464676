// The whole browser side of an app that signs people in with idp.

const issuer = document.documentElement.dataset.issuer
const at = (id) => document.getElementById(id)

// load() finds out who is signed in. Elements and scripts of a page share the one session it returns.
let idp
try {
  const sdk = await import(`${issuer}/sdk/v1/idp.js`)
  idp = await sdk.load({ issuer })
} catch (error) {
  show('unreachable')
  throw error
}

// observe() calls back now, and whenever somebody signs in or out: here, in another tab, on another device.
let shownFor = null
idp.observe(() => {
  route()
  if (idp.user && idp.user.id !== shownFor) refresh()
  shownFor = idp.user?.id ?? null
})
addEventListener('hashchange', route)

// The button top right would leave for idp's own sign-in page. This page has one, so it goes there.
document.querySelector('idp-user-button').addEventListener('idp-sign-in', (event) => {
  event.preventDefault()
  location.hash = 'sign-in'
  document.querySelector('idp-sign-in').scrollIntoView()
})

// route shows what is true: nobody is here, the account page, or the notes.
function route() {
  const wanted = location.hash.slice(1)
  show(!idp.user ? 'signed-out' : wanted === 'account' ? 'account' : 'signed-in')
  document.querySelector('idp-sign-in').hidden = wanted === 'sign-up'
  document.querySelector('idp-sign-up').hidden = wanted !== 'sign-up'
}

function show(id) {
  for (const main of document.querySelectorAll('main')) main.hidden = main.id !== id
}

// call asks our own API. getToken() returns the token it has, or a new one shortly before that ends: ask for
// it each time, never keep it.
async function call(path, options = {}) {
  const answer = await fetch(path, {
    ...options,
    headers: { authorization: `Bearer ${await idp.getToken()}`, 'content-type': 'application/json' },
  })
  if (!answer.ok) throw new Error((await answer.json()).detail)
  return answer.json()
}

// refresh reads the notes, and what the API learned about us from the token alone.
async function refresh() {
  await attempt(async () => {
    const [notes, claims] = await Promise.all([call('/api/notes'), call('/api/me')])
    at('notes').replaceChildren(...notes.map((note) => element('li', note.text)))
    at('nothing').hidden = notes.length > 0
    at('claims').replaceChildren(...Object.entries(claims).flatMap(([name, value]) =>
      [element('dt', name), element('dd', readable(name, value))]))
  })
}

at('again').addEventListener('click', refresh)

at('write').addEventListener('submit', async (event) => {
  event.preventDefault()
  await attempt(async () => {
    await call('/api/notes', { method: 'POST', body: JSON.stringify({ text: at('text').value }) })
    at('write').reset()
    await refresh()
  })
})

async function attempt(work) {
  at('trouble').textContent = ''
  try {
    await work()
  } catch (error) {
    if (idp.user) at('trouble').textContent = error.message // otherwise the page shows the sign-in already
  }
}

// textContent, never innerHTML: what people write stays text.
function element(name, text) {
  const made = document.createElement(name)
  made.textContent = text
  return made
}

function readable(name, value) {
  if (['iat', 'nbf', 'exp', 'auth_time'].includes(name)) return new Date(value * 1000).toLocaleTimeString()
  return Array.isArray(value) ? value.join(', ') : String(value)
}
