import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";

/** A certificate and its key, in PEM. */
export interface TlsCertificate {
  /** The server's certificate, and behind it those of the authorities between, if any. */
  readonly cert: string | Uint8Array;
  /** The key of the first of them, without a passphrase. */
  readonly key: string | Uint8Array;
}

function readCertificate(pem: TlsCertificate["cert"]): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw new TypeError("tls.cert has no certificate in PEM.", { cause });
  }
}

function readKey(pem: TlsCertificate["key"]): KeyObject {
  try {
    return createPrivateKey(Buffer.from(pem));
  } catch (cause) {
    const isLocked = /ENCRYPTED/.test(Buffer.from(pem).toString("latin1"));
    throw new TypeError(`tls.key ${isLocked ? "has a passphrase" : "has no private key in PEM"}.`, { cause });
  }
}

/** @throws TypeError naming the option where there is no certificate, no key, or a key of another certificate */
export function checkCertificate({ cert, key }: TlsCertificate): void {
  if (readCertificate(cert).checkPrivateKey(readKey(key))) return;
  throw new TypeError("tls.key is not the key of the certificate in tls.cert.");
}
