// An application on express-openid-connect: by default an ID token in a form that the
// browser posts; with FLOW=code the code flow, and the tokens that come with it.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import express from 'express'
import openid from 'express-openid-connect'
import { client, email, origin, person, serve, signIn, signedOut, text } from './party.mjs'
import { issuer, say } from './world.mjs'

const code = process.env.FLOW === 'code'
const app = express()
app.use(openid.auth({
  issuerBaseURL: issuer,
  baseURL: origin,
  clientID: client.id,
  secret: randomBytes(32).toString('hex'), // of its own cookies
  authRequired: false,
  idpLogout: true,
  routes: { postLogoutRedirect: '/bye' },
  ...(code && { clientSecret: client.secret, authorizationParams: { response_type: 'code', scope: 'openid profile email offline_access' } }),
}))
app.get('/', (req, res) => res.send(req.oidc.isAuthenticated() ? req.oidc.user : 'nobody'))
app.get('/private', openid.requiresAuth(), async (req, res) => res.send(code ? await req.oidc.fetchUserInfo() : req.oidc.user))
app.get('/refresh', openid.requiresAuth(), async (req, res) => {
  const before = req.oidc.accessToken.access_token
  const { access_token: after } = await req.oidc.accessToken.refresh()
  res.send({ renewed: after !== before, ...await req.oidc.fetchUserInfo() })
})
app.get('/bye', (req, res) => res.send('bye'))
app.use((error, req, res, _) => res.status(error.status ?? 500).send(`${error.name}: ${error.message}`))
await serve(app)

const told = async (page) => JSON.parse(await text(page))

await person(async (page) => {
  await page.goto(`${origin}/private`)
  const asked = []
  page.on('request', (r) => { if (r.url().startsWith(`${origin}/callback`)) asked.push(r.method()) })
  await signIn(page)
  await page.waitForURL(`${origin}/private`)
  assert.deepEqual(asked, [code ? 'GET' : 'POST'])
  const claims = await told(page)
  assert.equal(claims.email, email)
  assert.ok(claims.sub)
  say(`signed in, ${code ? 'by code' : 'by an ID token in a posted form'}`)
  if (code) {
    await page.goto(`${origin}/refresh`)
    assert.deepEqual(await told(page), { renewed: true, ...claims })
    say('refreshed')
  }

  await page.goto(`${origin}/logout`)
  await page.waitForURL(`${origin}/bye`)
  await page.goto(`${origin}/`)
  assert.equal(await text(page), 'nobody')
  await signedOut(page)
  say('signed out, here and there')

  await page.goto(`${origin}/private`)
  await signIn(page, { consent: false })
  await page.waitForURL(`${origin}/private`)
  assert.equal((await told(page)).sub, claims.sub)
  say('came back')
})
