/** Asks for a passkey or security key and returns what proves it, as JSON. */
export declare function getPasskey(options: {
    publicKey: PublicKeyCredentialRequestOptionsJSON;
}, more?: {
    conditional?: boolean;
    signal?: AbortSignal;
}): Promise<string>;
/** Makes a passkey or registers a security key and returns what proves it, as JSON. */
export declare function createPasskey(options: {
    publicKey: PublicKeyCredentialCreationOptionsJSON;
}, more?: {
    signal?: AbortSignal;
}): Promise<string>;
