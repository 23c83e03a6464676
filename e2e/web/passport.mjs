// An application on passport-openidconnect: a server with a secret, without PKCE, that gets
// the endpoints by hand and sends its secret in the body. By itself it asks userinfo only for
// callbacks of nine parameters; PROFILE=token leaves it at that.
import assert from 'node:assert/strict'
import express from 'express'
import session from 'express-session'
import passport from 'passport'
import OpenIDConnectStrategy from 'passport-openidconnect'
import { client, discovered, email, origin, person, serve, signIn, signedOut, text } from './party.mjs'
import { issuer, say } from './world.mjs'

const ends = await discovered()
passport.use(new OpenIDConnectStrategy({
  issuer,
  authorizationURL: ends.authorization_endpoint,
  tokenURL: ends.token_endpoint,
  userInfoURL: ends.userinfo_endpoint,
  clientID: client.id,
  clientSecret: client.secret,
  callbackURL: `${origin}/callback`,
  scope: ['profile', 'email'],
  nonce: true,
  ...(process.env.PROFILE !== 'token' && { skipUserProfile: false }),
}, (iss, profile, context, idToken, accessToken, refreshToken, params, done) => done(null, { profile, idToken })))
passport.serializeUser((user, done) => done(null, user))
passport.deserializeUser((user, done) => done(null, user))

const app = express()
app.use(session({ secret: 'only for this test', resave: false, saveUninitialized: false }))
app.use(passport.session())
app.get('/login', passport.authenticate('openidconnect'))
app.get('/callback', passport.authenticate('openidconnect', { successRedirect: '/', failWithError: true }))
app.get('/', (req, res) => res.send(req.user ? `signed in as ${req.user.profile.emails[0].value}` : 'nobody'))
app.get('/logout', (req, res, next) => {
  const hint = req.user.idToken
  req.logout((error) => {
    if (error) return next(error)
    res.redirect(`${ends.end_session_endpoint}?${new URLSearchParams({
      id_token_hint: hint, post_logout_redirect_uri: `${origin}/bye`, state: 's1' })}`)
  })
})
app.get('/bye', (req, res) => res.send('bye'))
app.use((error, req, res, _) => res.status(403).send(`${error.name}: ${error.message}`))
await serve(app)

await person(async (page) => {
  await page.goto(`${origin}/login`)
  assert.equal(new URL(page.url()).searchParams.has('code_challenge'), false)
  await signIn(page)
  await page.waitForURL(`${origin}/`)
  assert.equal(await text(page), `signed in as ${email}`)
  say('signed in without PKCE')

  await page.goto(`${origin}/logout`)
  await page.waitForURL(`${origin}/bye?state=s1`)
  await page.goto(`${origin}/`)
  assert.equal(await text(page), 'nobody')
  await signedOut(page)
  say('signed out, here and there')

  await page.goto(`${origin}/login`)
  await signIn(page, { consent: false })
  await page.waitForURL(`${origin}/`)
  assert.equal(await text(page), `signed in as ${email}`)
  say('came back')

  await page.goto(`${origin}/logout`)
  await page.goto(`${origin}/login`)
  await page.locator('#login-cancel').click()
  await page.waitForURL(`${origin}/callback?**`)
  assert.match(await text(page), /AuthenticationError: (Forbidden|Unauthorized)/, 'the library understands that the person did not want to')
  say('changed their mind')
})
