// An OpenID provider that others wrote, npm's oidc-provider, for idp to be a relying party of.
// It runs until its standard input ends. Who its people are, and what it says of them, tests
// put in by PUT /people/{name}: any claims, in any form, to be changed at any time.
import { createServer } from 'node:http'
import { Provider } from 'oidc-provider'

const people = new Map() // by name: the claims as they are sent; sub is the name, if they do not say
const asked = new Map() // by name: what the last request for them had in it

const server = createServer()
await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
const issuer = `http://127.0.0.1:${server.address().port}`

const provider = new Provider(issuer, {
  scopes: ['openid', 'offline_access', 'profile', 'email'],
  claims: {
    openid: ['sub', 'acr', 'amr'], email: ['email', 'email_verified', 'verified'],
    profile: ['name', 'given_name', 'family_name', 'preferred_username', 'picture', 'locale'],
    auth_time: null, sid: null, iss: null,
  },
  acrValues: ['one', 'two'],
  cookies: { keys: ['only for this test'] },
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: true },
    revocation: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  clientDefaults: { require_auth_time: true },
  interactions: { url: (_, { uid }) => `/enter/${uid}` },
  findAccount: (_, name) => people.has(name) && {
    accountId: name,
    claims: () => ({ sub: name, ...people.get(name) }),
  },
  // Nobody is asked whether idp may know.
  async loadExistingGrant(ctx) {
    const { client, session, params } = ctx.oidc
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId })
    grant.addOIDCScope(params.scope)
    await grant.save()
    return grant
  },
})
provider.on('server_error', (_, error) => console.error(error))

const body = async (request) => {
  let all = ''
  for await (const part of request) all += part
  return all
}
const escaped = (text) => String(text ?? '').replace(/[&<>"]/g, (c) => `&#${c.codePointAt()};`)

// The page of the provider: a name and no password, with or without a second step, or no.
const form = (uid, params) => `<!doctype html><html lang="en"><title>The other service</title><h1>The other service</h1>
<form method="post" action="/enter/${uid}">
<label for="name">Name there</label><input id="name" name="name" value="${escaped(params.login_hint)}">
<button name="do" value="one">Enter</button> <button name="do" value="two">Enter in two steps</button> <button name="do" value="no">Refuse</button>
</form></html>`

async function enter(request, answer, uid) {
  const { params } = await provider.interactionDetails(request, answer)
  if (request.method === 'GET') return answer.writeHead(200, { 'content-type': 'text/html' }).end(form(uid, params))
  const given = new URLSearchParams(await body(request))
  const name = given.get('name')
  if (given.get('do') === 'no') {
    return provider.interactionFinished(request, answer, { error: 'access_denied', error_description: 'They would not.' })
  }
  if (!people.has(name)) return answer.writeHead(404).end('nobody of that name')
  asked.set(name, params)
  const two = given.get('do') === 'two'
  return provider.interactionFinished(request, answer, {
    login: { accountId: name, acr: two ? 'two' : 'one', amr: two ? ['pwd', 'otp', 'mfa'] : ['pwd'] },
  })
}

server.on('request', async (request, answer) => {
  const [, first, second] = new URL(request.url, issuer).pathname.split('/')
  try {
    if (first === 'people' && request.method === 'PUT') {
      people.set(second, JSON.parse(await body(request)))
      return answer.writeHead(204).end()
    }
    if (first === 'asked') return answer.end(JSON.stringify(asked.get(second) ?? null))
    if (first === 'enter' && second) return await enter(request, answer, second)
  } catch (error) {
    console.error(error)
    return answer.writeHead(500).end(String(error))
  }
  return provider.callback()(request, answer)
})

console.log(`listening ${issuer}`)
process.stdin.on('end', () => process.exit(0)).resume()
