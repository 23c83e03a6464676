// An app of somebody else's that has components on its pages: another origin than the issuer's on the same site, and
// the strictest policy that they have to live with.
import { createServer } from 'node:http'
import { createHmac } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { eventually, field, issuer, judged, launch, letters, pictured, press, visit } from './world.mjs'

export const policy = `default-src 'none'; script-src ${issuer}; connect-src ${issuer}; style-src 'none'; img-src ${issuer}`

const server = createServer((question, answer) => {
  const { searchParams } = new URL(question.url, 'http://app')
  const [element, ...attributes] = (searchParams.get('show') ?? 'idp-sign-in').split(' ')
  answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy })
  answer.end(`<!doctype html><html lang="en"><head><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>An app</title><script type="module" src="${issuer}/sdk/v1/components.js"></script></head>
<body><main><h1>An app</h1><p><button type="button">Home</button></p><${element} ${attributes.join(' ')}></${element}></main></body></html>`)
})
await new Promise((ready) => server.listen(0, '127.0.0.1', ready))
server.unref()
export const app = `http://localhost:${server.address().port}`
export const page = (show) => `${app}/?show=${encodeURIComponent(show)}`

// open shows an element in a browser of its own and writes down what it tells its page.
export async function open(browser, show, options = {}) {
  const visited = await visit(browser, { origins: [app], ...options })
  await visited.context.addInitScript(() => {
    for (const name of ['idp-signed-in', 'idp-error']) document.addEventListener(name, (event) => {
      const told = JSON.parse(sessionStorage.getItem('told') ?? '[]')
      sessionStorage.setItem('told', JSON.stringify([...told, { name, email: event.detail?.user?.email, composed: event.composed }]))
    })
  })
  await options.prepare?.(visited)
  await visited.page.goto(page(show))
  return { ...visited, told: () => visited.page.evaluate(() => JSON.parse(sessionStorage.getItem('told') ?? '[]')) }
}

// keeping is a browser that shows pages again as they were left when somebody goes back, which those of a walk do not by themselves.
export const keeping = { ignoreDefaultArgs: ['--disable-back-forward-cache'] }

export const heading = (page, name) => page.getByRole('heading', { name, exact: true, level: 2 })
export const focused = (page, name) => page.waitForFunction((wanted) => {
  let at = document.activeElement
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement
  return at?.getAttribute('name') === wanted || at?.textContent.trim() === wanted
}, name)

// mailed is the newest code to an address, beyond those already seen.
export const mailed = (to, seen = []) => eventually(async () => (await letters(to)).find((l) => l.code && !seen.includes(l.code))?.code, `a code for ${to}`)

export const step = () => Math.floor(Date.now() / 30_000)

// appCode is what an authenticator app shows in a time step (RFC 6238), by none of idp's own code.
export function appCode(key, at) {
  const bits = [...key].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('')
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(at))
  const sum = createHmac('sha1', Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))).update(counter).digest()
  return String((sum.readUInt32BE(sum[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

export { field, issuer, judged, launch, pictured, press }

// portrait keeps four pictures of an element for the documentation, if asked to.
export async function portrait(page, name) {
  const folder = process.env.PICTURES
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  await page.evaluate(() => { // a made sheet needs nobody's leave
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(':root { font-family: Inter, system-ui, sans-serif } h1, p { display: none } body { margin: 0; padding: 24px 16px }')
    document.adoptedStyleSheets = [sheet]
  })
  for (const width of [390, 1280]) for (const colorScheme of ['light', 'dark']) {
    await page.setViewportSize({ width, height: 480 })
    await page.emulateMedia({ colorScheme })
    await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true })
  }
  await page.emulateMedia({ colorScheme: null })
  await page.evaluate(() => { document.adoptedStyleSheets = [] })
}
