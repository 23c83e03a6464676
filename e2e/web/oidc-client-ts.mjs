// A page in the browser on oidc-client-ts, without a secret and without a server: by
// redirect, in a pop-up, renewed by refresh token and by a hidden frame. With MONITOR it
// also watches the session at idp. SITE says whether its origin is of idp's site (same) or
// of another (other), where the browser keeps idp's cookies out of frames: then the page
// learns nothing there, and must not believe that the person left.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { client, email, origin, person, serve, signIn, signedOut } from './party.mjs'
import { issuer, say } from './world.mjs'

const library = readFileSync(new URL('../node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', import.meta.url))
const same = process.env.SITE === 'same'
const monitor = process.env.MONITOR === 'yes'
// Over http another program could stand at the page's address, so idp asks every time.
const consent = origin.startsWith('http:')

const settings = {
  authority: issuer, client_id: client.id, scope: 'openid profile email offline_access', loadUserInfo: true,
  redirect_uri: `${origin}/callback`, popup_redirect_uri: `${origin}/popup`, silent_redirect_uri: `${origin}/silent`,
  post_logout_redirect_uri: `${origin}/bye`,
  automaticSilentRenew: false, silentRequestTimeoutInSeconds: 120, monitorSession: monitor, checkSessionIntervalInSeconds: 1,
}

// The page: buttons, and what became of the last one.
const html = `<!doctype html><title>a page</title><script src="/library.js"></script>
<button>signinRedirect</button><button>signinPopup</button><button>signinSilent</button><button>frame</button><button>signoutRedirect</button>
<p id="state"></p><p id="events"></p><script>
const users = new oidc.UserManager(${JSON.stringify(settings)})
const told = (id, what) => { document.getElementById(id).textContent += what }
users.events.addUserSignedOut(() => told('events', 'signed out elsewhere'))
const show = (user) => told('state', JSON.stringify(user ? { email: user.profile.email, token: user.access_token, expired: user.expired } : { nobody: true }))
const failed = (e) => told('state', JSON.stringify({ failed: e.error || e.message }))
const steps = {
  signinRedirect: () => users.signinRedirect(),
  signinPopup: async () => show(await users.signinPopup()),
  signinSilent: async () => show(await users.signinSilent()),
  frame: async () => show(await users.signinSilent({ forceIframeAuth: true })),
  signoutRedirect: () => users.signoutRedirect(),
}
for (const b of document.querySelectorAll('button')) b.onclick = () => { document.getElementById('state').textContent = ''; steps[b.textContent]().catch(failed) }
const arrive = {
  '/': async () => show(await users.getUser()),
  '/callback': async () => show(await users.signinCallback()),
  '/popup': () => users.signinCallback(),
  '/silent': () => users.signinCallback(),
  '/bye': async () => { await users.signoutCallback(); show(await users.getUser()) },
}
arrive[location.pathname]().catch(failed)
</script>`
await serve((asked, answer) => {
  if (asked.url === '/library.js') return answer.writeHead(200, { 'content-type': 'text/javascript' }).end(library)
  if (asked.url === '/favicon.ico') return answer.writeHead(204).end()
  answer.writeHead(200, { 'content-type': 'text/html' }).end(html)
})

// told waits for what the page says of the last step.
async function told(page) {
  await page.locator('#state:not(:empty)').waitFor({ state: 'attached' })
  return JSON.parse(await page.locator('#state').textContent())
}
const push = (page, name) => page.getByRole('button', { name, exact: true }).click()

await person(async (page, context) => {
  await page.goto(`${origin}/`)
  assert.deepEqual(await told(page), { nobody: true })
  await push(page, 'signinRedirect')
  await signIn(page)
  await page.waitForURL(`${origin}/callback?**`)
  const first = await told(page)
  assert.equal(first.email, email, 'userinfo was read across origins')
  say('signed in by redirect')

  await page.goto(`${origin}/`)
  assert.deepEqual(await told(page), first, 'the page keeps its user')
  await push(page, 'signinSilent')
  const renewed = await told(page)
  assert.equal(renewed.email, email)
  assert.notEqual(renewed.token, first.token)
  say('renewed by refresh token')

  await push(page, 'frame')
  const framed = await told(page)
  if (same) {
    assert.equal(framed.email, email)
    assert.notEqual(framed.token, renewed.token)
    say('renewed in a hidden frame')
  } else {
    assert.deepEqual(framed, { failed: 'login_required' }, 'the library is told, and need not wait for its time to run out')
    say('a hidden frame of another site learns nothing')
  }

  if (monitor) {
    await page.waitForTimeout(3_000) // three questions of the frame
    assert.equal(await page.locator('#events').textContent(), '', 'nobody signed out')
    say('watched the session')
  }
  if (monitor && same) {
    const tab = await context.newPage()
    await tab.goto(`${issuer}/account`)
    await tab.getByRole('button', { name: 'Sign out', exact: true }).click()
    await page.locator('#events:not(:empty)').waitFor()
    assert.equal(await page.locator('#events').textContent(), 'signed out elsewhere')
    await tab.close()
    say('noticed that the person signed out in another tab')
    await push(page, 'signinRedirect')
    await signIn(page, { consent })
    await page.waitForURL(`${origin}/callback?**`)
    await told(page)
    await page.goto(`${origin}/`)
    await told(page)
  }

  await push(page, 'signoutRedirect')
  await page.waitForURL(`${origin}/bye**`)
  assert.deepEqual(await told(page), { nobody: true })
  await signedOut(page)
  say('signed out, here and there')

  await page.goto(`${origin}/`)
  const [popup] = await Promise.all([page.waitForEvent('popup'), push(page, 'signinPopup')])
  await signIn(popup, { consent })
  assert.equal((await told(page)).email, email)
  if (!popup.isClosed()) await popup.waitForEvent('close')
  say('signed in in a pop-up, which closed')
})
