// A relying party that has its answer posted, hybrid, with a state that would be script if
// any page forgot to escape it; once with script and once, by the button, without.
import assert from 'node:assert/strict'
import { client, origin, person, serve, signIn } from './party.mjs'
import { issuer, say } from './world.mjs'

const state = `"><svg onload="document.title='struck'"><script>document.title='struck'</script>'`
let posted
await serve((asked, answer) => {
  let body = ''
  asked.on('data', (part) => { body += part }).on('end', () => {
    if (asked.method === 'POST') posted = { path: asked.url, ...Object.fromEntries(new URLSearchParams(body)) }
    answer.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>the application</title><p>here we are')
  })
})

const request = (more = {}) => `${issuer}/oauth2/authorize?` + new URLSearchParams({
  client_id: client.id, redirect_uri: `${origin}/callback`, response_type: 'code id_token token', response_mode: 'form_post',
  scope: 'openid email', nonce: 'n-1', state, ...more,
})

async function arrived(page) {
  await page.getByText('here we are').waitFor()
  assert.equal(page.url(), `${origin}/callback`, 'nothing is in the address')
  assert.equal(posted.state, state)
  assert.equal(posted.iss, issuer)
  const got = posted
  posted = undefined
  return got
}

for (const javaScriptEnabled of [true, false]) {
  await person(async (page) => {
    const titles = new Set()
    page.on('domcontentloaded', async () => titles.add(await page.title().catch(() => '')))
    const push = async () => { if (!javaScriptEnabled) await page.locator('#form-post-submit').click() }
    await page.goto(request())
    await signIn(page, { consent: javaScriptEnabled }) // once is enough
    await push()
    const got = await arrived(page)
    for (const part of ['code', 'id_token', 'access_token', 'token_type', 'expires_in']) assert.ok(got[part], part)
    const info = await (await fetch(`${issuer}/oauth2/userinfo`, { headers: { authorization: `Bearer ${got.access_token}` } })).json()
    assert.ok(info.email)
    await page.goto(request({ prompt: 'none', scope: 'openid nonsense' }))
    await push()
    assert.equal((await arrived(page)).error, 'invalid_scope')
    assert.ok(!titles.has('struck'), 'the state ran as script')
  }, { javaScriptEnabled })
  say(`answer and error were posted ${javaScriptEnabled ? 'by script' : 'by the button'}`)
}
