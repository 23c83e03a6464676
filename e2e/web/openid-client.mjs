// Applications on openid-client that register themselves and take the strict roads: keys
// instead of a secret, pushed and signed requests, an ID token in front, answers sealed for
// them alone.
import assert from 'node:assert/strict'
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose'
import * as oidc from 'openid-client'
import { email, origin, person, serve, signIn, signedOut } from './party.mjs'
import { issuer, say } from './world.mjs'

const insecure = issuer.startsWith('http:') ? [oidc.allowInsecureRequests] : []

// The application's address: it keeps what the browser brought.
let arrived
await serve((asked, answer) => {
  const parts = []
  asked.on('data', (part) => parts.push(part)).on('end', () => {
    if (asked.url.startsWith('/callback')) {
      arrived = new Request(new URL(asked.url, origin), {
        method: asked.method, headers: { 'content-type': asked.headers['content-type'] ?? '' },
        ...(asked.method === 'POST' && { body: Buffer.concat(parts) }),
      })
    }
    answer.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>the application</title>')
  })
})

async function pair(alg, use) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const kid = `${use}-${alg}`
  return { jwk: { ...await exportJWK(publicKey), kid, use, alg }, private: { key: privateKey, kid } }
}

// Every way is one application: what it registers, how it asks, how it reads the answer.
const ways = {
  'a signature instead of a secret': { alg: 'ES256' },
  'a secret that is never sent': { secret: true },
  'a pushed request': { alg: 'PS256', push: true, metadata: { require_pushed_authorization_requests: true } },
  'a signed request': { alg: 'ES256', sign: true, metadata: { request_object_signing_alg: 'ES256' } },
  'a signed and pushed request': { alg: 'RS256', sign: true, push: true, metadata: { request_object_signing_alg: 'RS256', require_signed_request_object: true } },
  'an ID token in front, in the fragment': { alg: 'ES256', hybrid: true },
  'an ID token in front, in a posted form': { alg: 'ES256', hybrid: true, mode: 'form_post' },
  'an ID token in another signature': { alg: 'ES256', metadata: { id_token_signed_response_alg: 'PS256', userinfo_signed_response_alg: 'ES256' } },
  'an ID token and userinfo sealed for it alone': {
    alg: 'ES256', seal: 'RSA-OAEP-256', metadata: {
      id_token_encrypted_response_alg: 'RSA-OAEP-256', id_token_encrypted_response_enc: 'A256GCM',
      userinfo_signed_response_alg: 'RS256', userinfo_encrypted_response_alg: 'RSA-OAEP-256', userinfo_encrypted_response_enc: 'A256GCM',
    } },
}

async function register(way) {
  const metadata = {
    client_name: 'Acme', redirect_uris: [`${origin}/callback`], post_logout_redirect_uris: [`${origin}/bye`],
    grant_types: ['authorization_code', 'refresh_token', ...(way.hybrid ? ['implicit'] : [])],
    response_types: [way.hybrid ? 'code id_token' : 'code'], ...way.metadata,
  }
  const keys = way.alg && await pair(way.alg, 'sig')
  const seal = way.seal && await pair(way.seal, 'enc')
  let authentication
  if (way.secret) {
    metadata.token_endpoint_auth_method = 'client_secret_jwt'
  } else {
    metadata.token_endpoint_auth_method = 'private_key_jwt'
    metadata.token_endpoint_auth_signing_alg = way.alg
    metadata.jwks = { keys: [keys.jwk, ...(seal ? [seal.jwk] : [])] }
    authentication = oidc.PrivateKeyJwt(keys.private)
  }
  const execute = [...insecure, oidc.enableNonRepudiationChecks, ...(way.hybrid ? [oidc.useCodeIdTokenResponseType] : [])]
  let config = await oidc.dynamicClientRegistration(new URL(issuer), metadata, authentication, { execute })
  if (way.secret) {
    const { client_id: id, client_secret: secret } = config.clientMetadata()
    config = await oidc.discovery(new URL(issuer), id, config.clientMetadata(), oidc.ClientSecretJwt(secret), { execute })
  }
  if (seal) oidc.enableDecryptingResponses(config, ['A256GCM'], seal.private)
  return { config, keys, seal }
}

async function begin({ config, keys }, way) {
  const checks = { pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), idTokenExpected: true }
  let wish = {
    redirect_uri: `${origin}/callback`, scope: 'openid email offline_access', state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: 'S256',
    ...(way.mode && { response_mode: way.mode }),
  }
  let url
  if (way.sign) {
    url = await oidc.buildAuthorizationUrlWithJAR(config, wish, keys.private)
    wish = url.searchParams
  }
  if (way.push) url = await oidc.buildAuthorizationUrlWithPAR(config, wish)
  url ??= oidc.buildAuthorizationUrl(config, wish)
  return { url: url.href, checks }
}

await person(async (page) => {
  let known = false
  for (const [name, way] of Object.entries(ways)) {
    const party = await register(way)
    const { url, checks } = await begin(party, way)
    arrived = undefined
    await page.goto(url)
    if (known) await page.locator('#consent-allow').click()
    else await signIn(page)
    known = true
    await page.waitForURL(`${origin}/callback**`)
    // Fragments never reach a server; the page would hand them on.
    const tokens = await oidc.authorizationCodeGrant(party.config, way.hybrid && !way.mode ? new URL(page.url()) : arrived, checks)
    const info = await oidc.fetchUserInfo(party.config, tokens.access_token, tokens.claims().sub)
    assert.equal(info.email, email)
    const fresh = await oidc.refreshTokenGrant(party.config, tokens.refresh_token)
    assert.notEqual(fresh.access_token, tokens.access_token)
    if (name === Object.keys(ways).at(-1)) {
      // idp cannot open what it sealed for the application alone: the hint is what was inside.
      const hint = party.seal ? new TextDecoder().decode((await compactDecrypt(tokens.id_token, party.seal.private.key)).plaintext) : tokens.id_token
      await page.goto(oidc.buildEndSessionUrl(party.config, { id_token_hint: hint, post_logout_redirect_uri: `${origin}/bye` }).href)
      await page.waitForURL(`${origin}/bye`)
      await signedOut(page)
    }
    say(name)
  }
})
