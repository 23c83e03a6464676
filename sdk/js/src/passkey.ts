import { IdpError } from './errors.js'

// Bytes travel as base64url. Newer browsers turn options and answers themselves.

const bytes = (text: string): ArrayBuffer =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0)).buffer

const text = (from: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(from))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')

const listed = (all: Array<{ id: string }> = []): PublicKeyCredentialDescriptor[] =>
  all.map((one) => ({ ...one, id: bytes(one.id) }) as unknown as PublicKeyCredentialDescriptor)

function readCreation(o: PublicKeyCredentialCreationOptionsJSON): PublicKeyCredentialCreationOptions {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(o)
  return {
    ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: listed(o.excludeCredentials),
  } as unknown as PublicKeyCredentialCreationOptions
}

function readRequest(o: PublicKeyCredentialRequestOptionsJSON): PublicKeyCredentialRequestOptions {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(o)
  return { ...o, challenge: bytes(o.challenge), allowCredentials: listed(o.allowCredentials) } as unknown as PublicKeyCredentialRequestOptions
}

function write(credential: PublicKeyCredential): string {
  try {
    return JSON.stringify(credential.toJSON())
  } catch { /* older, or a password manager's own object */ }
  const said = credential.response as unknown as Record<string, unknown>
  const out: Record<string, unknown> = {}
  for (const name of ['clientDataJSON', 'attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (said[name]) out[name] = text(said[name] as ArrayBuffer)
  }
  if (typeof said.getTransports === 'function') out.transports = (credential.response as AuthenticatorAttestationResponse).getTransports()
  return JSON.stringify({
    id: credential.id, rawId: text(credential.rawId), type: credential.type, response: out, clientExtensionResults: {},
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
  })
}

/** What went wrong in the browser, by what it calls it. */
const reasons: Record<string, [code: string, detail: string]> = {
  NotAllowedError: ['passkey_cancelled', 'The passkey was not used: it was cancelled, or it took too long.'],
  TimeoutError: ['passkey_cancelled', 'The passkey was not used: it was cancelled, or it took too long.'],
  AbortError: ['passkey_stopped', 'The question for a passkey was taken back.'],
  InvalidStateError: ['passkey_there', 'This device holds a passkey of this account already.'],
  SecurityError: ['passkey_elsewhere', 'Passkeys of this service do not work on this site.'],
  NotSupportedError: ['passkey_unsuited', 'This device cannot make a suitable passkey.'],
  ConstraintError: ['passkey_unverifiable', 'This device cannot check that it is you.'],
}

async function asked(question: () => Promise<Credential | null>): Promise<string> {
  if (typeof PublicKeyCredential === 'undefined' || !navigator.credentials) {
    throw new IdpError(0, 'passkey_unavailable', 'This browser knows no passkeys.')
  }
  try {
    const credential = await question()
    if (!credential) throw new DOMException('', 'NotAllowedError')
    return write(credential as PublicKeyCredential)
  } catch (e) {
    const [code, detail] = reasons[(e as Error).name] ?? ['passkey_failed', 'The passkey could not be used.']
    throw new IdpError(0, code, detail)
  }
}

/** Asks for a passkey or security key and returns what proves it, as JSON. */
export function getPasskey(
  options: { publicKey: PublicKeyCredentialRequestOptionsJSON }, more: { conditional?: boolean; signal?: AbortSignal } = {},
): Promise<string> {
  return asked(() => navigator.credentials.get({
    publicKey: readRequest(options.publicKey), ...(more.signal && { signal: more.signal }), ...(more.conditional && { mediation: 'conditional' as const }),
  }))
}

/** Makes a passkey or registers a security key and returns what proves it, as JSON. */
export function createPasskey(
  options: { publicKey: PublicKeyCredentialCreationOptionsJSON }, more: { signal?: AbortSignal } = {},
): Promise<string> {
  return asked(() => navigator.credentials.create({ publicKey: readCreation(options.publicKey), ...(more.signal && { signal: more.signal }) }))
}
