// An application behind Apache with mod_auth_openidc: the test runs both, here are only the
// person's steps. LEAVE says how the two part: there, when the person signs out at the
// application, or at idp, which says so by backchannel or by frontchannel.
import assert from 'node:assert/strict'
import { email, origin, person, signIn, signedOut, text } from './party.mjs'
import { eventually, issuer, press, say } from './world.mjs'

const leave = process.env.LEAVE
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

  if (leave === 'there') {
    await page.goto(`${origin}/private/redirect_uri?logout=${encodeURIComponent(`${origin}/bye`)}`)
    await page.waitForURL(`${origin}/bye**`)
    await signedOut(page)
    await page.goto(`${origin}/private/`)
  } else {
    await page.goto(`${issuer}/account`)
    await press(page, 'Sign out')
    await page.waitForURL((url) => url.pathname !== '/account' && !url.pathname.startsWith('/oauth2/logout/apps'))
    await signedOut(page)
    // The word behind the browser leaves as a job; the frames were there before the last page.
    const forgotten = async () => (await page.goto(`${origin}/private/`), page.url().startsWith(issuer))
    if (leave === 'backchannel') await eventually(forgotten, 'Apache takes nobody for the person')
    else assert.ok(await forgotten(), 'Apache still takes the browser for the person')
  }
  say('signed out, here and there')

  await signIn(page, { consent: false })
  await page.waitForURL(`${origin}/private/`)
  assert.equal((await told(page)).sub, claims.sub)
  say('came back')
}, {
  // Debian's module refuses to be framed whatever its settings say, after it has listened.
  expected: leave === 'frontchannel' ? /^console: Refused to display .* in a frame because it set 'X-Frame-Options'/ : undefined,
})
