/**
 * The bootstrap data of a cluster whose servers share a datastore: authorities and passwords, encrypted with the server
 * token, in one row of the datastore.
 *
 * Models pkg/cluster/storage.go (the row of a token; a row of another token is an error; an existing row is kept),
 * pkg/cluster/encrypt.go (name and encryption of the row), pkg/cluster/bootstrap.go (files that are missing or older
 * are written from the row; files that are at least three seconds newer stop K3s) and pkg/server/handlers/token.go (a
 * rotation encrypts the row with the new token, removes the old row, and then saves the files in the new one).
 */
import { createCipheriv, createDecipheriv, createHash, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { RotationStep, ServerFiles } from './k3s-bootstrap.ts';
import { log } from './k3s-log.ts';
import type { KeyStore } from './k3s-store.ts';

/** The files below the folder of a server that all servers of a cluster have in common. */
const sharedFiles = [
  ...['server-ca', 'client-ca'].flatMap((name) => ['crt', 'key', 'json'].map((end) => `tls/${name}.${end}`)),
  'cred/passwd',
];

interface BootstrapFile {
  readonly Content: string;
  /** When the file was last changed, in epoch milliseconds. */
  readonly Timestamp: number;
}

/** The content of the shared files, by path. */
export type BootstrapData = Readonly<Record<string, BootstrapFile>>;

export const otherToken = 'bootstrap data already found and encrypted with different token';

/** How much newer a file may be than the row, in milliseconds (systemTimeSkew). */
const skew = 3_000;
const prefix = '/bootstrap/';

/** Returns the key of the row of a token's password. */
export function rowOf(password: string): string {
  return `${prefix}${createHash('sha256').update(password).digest('hex').slice(0, 12)}`;
}

export function readShared(files: ServerFiles): BootstrapData {
  return Object.fromEntries(
    sharedFiles.flatMap((path) => {
      const text = files.read(path);
      const Timestamp = files.modifiedAt(path);
      return text === undefined ? [] : [[path, { Content: Buffer.from(text).toString('base64'), Timestamp }]];
    }),
  );
}

/**
 * Writes the shared files if one of them is missing or differs; with `reset`, in any case. Returns the paths of files
 * that are newer than `data`, in which case nothing is written.
 */
export function reconcile(files: ServerFiles, data: BootstrapData, reset = false): readonly string[] {
  const differing = Object.entries(data).filter(([path, file]) => files.read(path) !== textOf(file));
  const isNewServer = sharedFiles.every((path) => files.read(path) === undefined);
  const newer = differing.filter(
    ([path, { Timestamp }]) => files.read(path) !== undefined && files.modifiedAt(path) - Timestamp >= skew,
  );
  if (newer.length > 0 && !reset && !isNewServer) {
    return newer.map(([path]) => path);
  }
  if (differing.length > 0) {
    log('warning', 'Updating bootstrap data on disk from datastore');
    for (const [path, file] of Object.entries(data)) {
      files.write(path, textOf(file));
    }
  }
  return [];
}

function textOf({ Content }: BootstrapFile): string {
  return Buffer.from(Content, 'base64').toString();
}

/**
 * Resolves to the bootstrap data of this password, or to `undefined` if the datastore has none; rejects if it has only
 * that of another token.
 */
export async function loadRow(store: KeyStore, password: string): Promise<BootstrapData | undefined> {
  const { entries } = await store.load(prefix);
  const own = entries.find(({ key }) => key === rowOf(password));
  if (own === undefined && entries.length > 0) {
    throw new Error(otherToken);
  }
  return own === undefined ? undefined : JSON.parse(opened(own.value, password));
}

/** Stores the bootstrap data unless the row exists; rejects if the datastore has a row of another token. */
export async function saveRow(store: KeyStore, password: string, data: BootstrapData): Promise<void> {
  await loadRow(store, password);
  const value = sealed(JSON.stringify(data), password);
  const written = await store.write({ key: rowOf(password), value, base: 0 });
  if ('conflict' in written) {
    log('warning', 'Bootstrap key already exists');
  }
}

/**
 * Replaces the row of a token by that of another token, and then saves the files in it. `after` is called after each
 * step, and may end K3s there.
 */
export async function rotateRow(
  store: KeyStore,
  { from, to }: { readonly from: string; readonly to: string },
  data: BootstrapData,
  after: (step: RotationStep) => void,
): Promise<void> {
  const { entries } = await store.load(prefix);
  const found = (key: string) => entries.find((entry) => entry.key === key);
  const [key, former] = [rowOf(to), found(rowOf(from))];
  if (former !== undefined && former.key !== key) {
    if (found(key) === undefined) {
      await store.write({ key, value: sealed(opened(former.value, from), to), base: 0 });
    }
    after('new row');
    await store.write({ key: former.key, value: undefined, base: former.revision });
  }
  after('old row');
  const { entries: left } = await store.load(prefix);
  const base = left.find((entry) => entry.key === key)?.revision ?? 0;
  await store.write({ key, value: sealed(JSON.stringify(data), to), base });
  after('saved');
}

/** Encrypts a text with AES-GCM under a key from the passphrase (PBKDF2, SHA-1, 4096 rounds): `SALT:BASE64`. */
export function sealed(text: string, passphrase: string): string {
  const salt = randomBytes(8).toString('hex');
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyFrom(passphrase, salt), nonce);
  const data = Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
  return `${salt}:${data.toString('base64')}`;
}

/** Decrypts a text; throws Go's error for another passphrase. */
export function opened(text: string, passphrase: string): string {
  const [salt = '', encoded = ''] = text.split(':');
  const data = Buffer.from(encoded, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', keyFrom(passphrase, salt), data.subarray(0, 12));
  decipher.setAuthTag(data.subarray(-16));
  try {
    return Buffer.concat([decipher.update(data.subarray(12, -16)), decipher.final()]).toString();
  } catch (error) {
    throw new Error('cipher: message authentication failed', { cause: error });
  }
}

function keyFrom(passphrase: string, salt: string): Buffer {
  return pbkdf2Sync(passphrase, salt, 4096, 32, 'sha1');
}
