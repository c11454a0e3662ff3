/**
 * Makes X.509 certificates with P-256 keys, without an external program: the certificates that K3s makes at its first
 * start (pkg/daemons/control/deps), and the certificates of the lab's servers for the cloud's real host names.
 *
 * The DER is written by hand (RFC 5280, section 4.1), because Node can read certificates but cannot make them.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { isIP } from 'node:net';

/** A certificate and its private key, both as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly key: string;
}

/** When a certificate is valid, in epoch milliseconds. */
export interface Validity {
  readonly from: number;
  readonly ends: number;
}

const day = 86_400_000;

/** Makes a self-signed certificate authority, by default one that ends in ten years. */
export function makeAuthority(commonName: string, validity = endingIn(3650 * day)): Certificate {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = name({ commonName });
  const usage = [extension('2.5.29.19', der(0x30, boolean(true)), true), keyUsage(0x06)];
  const certificate = signed(subject, subject, spki(pair.publicKey), usage, pair.privateKey, validity);
  return { certificate, key: pem(pair.privateKey) };
}

/** Makes a CA whose certificate `authority` signs, like an operator's custom CA (k3s-io/docs, cli/certificate). */
export function makeIntermediate(authority: Certificate, commonName: string): Certificate {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { certificate: certified(authority, commonName, pair.publicKey), key: pem(pair.privateKey) };
}

/** Returns a certificate for `ca` that another authority signs, as an old root cross-signs a new one. */
export function crossSign(ca: Certificate, authority: Certificate): string {
  return certified(authority, issuerOf(ca).commonName, createPublicKey(ca.key));
}

function certified(authority: Certificate, commonName: string, publicKey: Key): string {
  const issuerKey = createPublicKey(authority.key);
  const keyId = createHash('sha1').update(spki(issuerKey)).digest();
  const authorityKey = extension('2.5.29.35', der(0x30, der(0x80, keyId)));
  const usage = [extension('2.5.29.19', der(0x30, boolean(true)), true), keyUsage(0x06), authorityKey];
  const issuer = issuerOf(authority);
  const subject = name({ commonName });
  return signed(name({ commonName: issuer.commonName }), subject, spki(publicKey), usage, issuer.privateKey);
}

/** What an authority needs to issue certificates. */
interface Issuer {
  readonly commonName: string;
  readonly privateKey: Key;
  /** The time from which its certificate is valid, in epoch milliseconds. */
  readonly validFrom: number;
}

const issuers = new WeakMap<Certificate, Issuer>();

/** Parses the certificate and the key of an authority, once for each authority, since a fleet issues thousands. */
export function issuerOf(authority: Certificate): Issuer {
  const known = issuers.get(authority);
  if (known !== undefined) {
    return known;
  }
  const { subject, validFromDate } = new X509Certificate(authority.certificate);
  const issuer = {
    commonName: subject.replace(/^CN=/, ''),
    privateKey: createPrivateKey(authority.key),
    validFrom: validFromDate.getTime(),
  };
  issuers.set(authority, issuer);
  return issuer;
}

/**
 * Issues a certificate for a server (`hosts`) or a client (user name and group). It ends in `life` milliseconds, by
 * default in ten years, or is valid for the time in `validity`. The key pair is new by default.
 */
export function issue(
  authority: Certificate,
  spec: Subject & {
    readonly hosts?: readonly string[];
    readonly life?: number;
    readonly validity?: Validity;
  },
  pair: KeyPair = generateKeyPairSync('ec', { namedCurve: 'P-256' }),
): Certificate {
  const extensions = [keyUsage(0x80), extendedUsage()];
  if (spec.hosts !== undefined) {
    extensions.push(alternativeNames(spec.hosts));
  }
  const issuer = issuerOf(authority);
  const certificate = signed(
    name({ commonName: issuer.commonName }),
    name(spec),
    spki(pair.publicKey),
    extensions,
    issuer.privateKey,
    spec.validity ?? endingIn(spec.life ?? 3650 * day),
  );
  return { certificate, key: pem(pair.privateKey) };
}

type Key = ReturnType<typeof createPrivateKey>;

export interface KeyPair {
  readonly publicKey: Key;
  readonly privateKey: Key;
}

const ecdsaWithSha256 = () => der(0x30, oid('1.2.840.10045.4.3.2'));

function signed(
  issuer: Buffer,
  subject: Buffer,
  publicKey: Buffer,
  extensions: Buffer[],
  key: Key,
  { from, ends }: Validity = endingIn(3650 * day),
): string {
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([0x40]), randomBytes(15)])),
    ecdsaWithSha256(),
    issuer,
    der(0x30, time(from), time(ends)),
    subject,
    publicKey,
    der(0xa3, der(0x30, ...extensions)),
  );
  const whole = der(0x30, body, ecdsaWithSha256(), bits(sign('sha256', body, key)));
  const lines = whole.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** The subject of a certificate. */
interface Subject {
  readonly commonName: string;
  readonly organization?: string;
  readonly organizationalUnits?: readonly string[];
}

function name(spec: Subject): Buffer {
  const part = (type: string, value: string) =>
    der(0x31, der(0x30, oid(type), der(0x0c, Buffer.from(value))));
  const organization = spec.organization === undefined ? [] : [part('2.5.4.10', spec.organization)];
  const units = (spec.organizationalUnits ?? []).map((unit) => part('2.5.4.11', unit));
  return der(0x30, ...organization, ...units, part('2.5.4.3', spec.commonName));
}

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) =>
    isIP(host) === 4
      ? der(0x87, Buffer.from(host.split('.').map(Number)))
      : der(0x82, Buffer.from(host, 'ascii')),
  );
  return extension('2.5.29.17', der(0x30, ...names));
}

function extendedUsage(): Buffer {
  return extension('2.5.29.37', der(0x30, oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2')));
}

function keyUsage(flags: number): Buffer {
  return extension('2.5.29.15', der(0x03, Buffer.from([0, flags])), true);
}

function extension(type: string, value: Buffer, critical = false): Buffer {
  return der(0x30, oid(type), ...(critical ? [boolean(true)] : []), der(0x04, value));
}

function boolean(value: boolean): Buffer {
  return der(0x01, Buffer.from([value ? 0xff : 0]));
}

function bits(content: Buffer): Buffer {
  return der(0x03, Buffer.from([0]), content);
}

/** Returns a validity that began long ago, so that the certificate is also valid by a simulated clock. */
function endingIn(life: number): Validity {
  return { from: Date.UTC(2020, 0, 1), ends: Date.now() + life };
}

function time(at: number): Buffer {
  const text = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return der(0x18, Buffer.from(text));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const digits = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) {
      digits.unshift((left & 0x7f) | 0x80);
    }
    bytes.push(...digits);
  }
  return der(0x06, Buffer.from(bytes));
}

function spki(key: Key): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function pem(key: Key): string {
  return String(key.export({ type: 'pkcs8', format: 'pem' }));
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) {
    return Buffer.concat([Buffer.from([tag, length]), content]);
  }
  const size = length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
