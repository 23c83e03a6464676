// An application behind Apache with mod_auth_openidc: the test runs both, here are only the
// person's steps. LEAVE says where they sign out: there (at the application) or here (at idp).
import assert from 'node:assert/strict'
import { email, origin, person, signIn, signedOut, text } from './party.mjs'
import { say } from './world.mjs'

const told = async (page) => JSON.parse(await text(page))

await person(async (page) => {
  await page.goto(`${origin}/`)
  assert.equal((await told(page)).user, '', 'what is not guarded knows nobody')
  await page.goto(`${origin}/private/`)
  await signIn(page)
  await page.waitForURL(`${origin}/private/`)
  const claims = await told(page)
  assert.equal(claims.user, email)
  assert.equal(claims.email, email)
  assert.ok(claims.sub)
  say('signed in; the application is told who it is')

  await page.goto(`${origin}/private/redirect_uri?logout=${encodeURIComponent(`${origin}/bye`)}`)
  await page.waitForURL(`${origin}/bye**`)
  await signedOut(page)
  await page.goto(`${origin}/private/`)
  say('signed out, here and there')

  await signIn(page, { consent: false })
  await page.waitForURL(`${origin}/private/`)
  assert.equal((await told(page)).sub, claims.sub)
  say('came back')
})
