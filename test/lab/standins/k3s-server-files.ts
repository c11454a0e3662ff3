/**
 * The files of a server: authorities, certificates and tokens.
 *
 * Models pkg/daemons/control/deps (certificates; genCerts renews those near their end) and pkg/server/server.go (token
 * files).
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { ServerFiles } from './k3s-bootstrap.ts';
import { type Certificate, makeAuthority } from './k3s-certificates.ts';
import { startServerLeaves } from './k3s-leaves.ts';
import { log } from './k3s-log.ts';
import { fullToken } from './k3s-token.ts';

/** What the files of a server are made from. */
export interface Credentials {
  readonly authority: Certificate;
  readonly clientAuthority: Certificate;
  readonly serverPassword: string;
  readonly agentPassword: string;
}

/** Returns the files below the folder of a server. */
export function serverFiles(directory: string): ServerFiles {
  const at = (path: string) => join(directory, path);
  return {
    read: (path) => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : undefined),
    write: (path, text) => writeWhole(at(path), text, 0o600),
    modifiedAt: (path) => (existsSync(at(path)) ? statSync(at(path)).mtimeMs : 0),
  };
}

/** Returns the authority of this name; makes one unless it is stored. */
export function storedAuthority(directory: string, name: string, commonName: string): Certificate {
  const path = join(directory, 'tls', `${name}.json`);
  if (!existsSync(path)) {
    const made = makeAuthority(`${commonName}@${Math.floor(Date.now() / 1000)}`);
    writeWhole(join(directory, 'tls', `${name}.crt`), made.certificate, 0o644);
    writeWhole(join(directory, 'tls', `${name}.key`), made.key, 0o600);
    writeWhole(path, `${JSON.stringify(made)}\n`, 0o600);
  }
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Writes the certificates of a server, and renews those near their end (pkg/daemons/control/deps, genCerts). */
export function writeLeaves(
  dataDir: string,
  { authority: server, clientAuthority: client }: Credentials,
): void {
  const files = {
    read: (path: string) =>
      existsSync(join(dataDir, path)) ? readFileSync(join(dataDir, path), 'utf8') : undefined,
    write: (path: string, text: string) => writeWhole(join(dataDir, path), text, 0o644),
  };
  startServerLeaves(files, { authorities: { server, client }, now: Date.now() });
}

/** Writes the token files, from which people copy the tokens. */
export function writeTokens(directory: string, credentials: Credentials): void {
  const ca = credentials.authority.certificate;
  writeToken(directory, credentials.authority, credentials.serverPassword);
  const node = join(directory, 'node-token');
  rmSync(node, { force: true });
  symlinkSync(join(directory, 'token'), node);
  writeWhole(join(directory, 'agent-token'), `${fullToken(ca, 'node', credentials.agentPassword)}\n`, 0o600);
  log('info', `Server node token is available at ${join(directory, 'token')}`);
  log('info', `Agent node token is available at ${join(directory, 'agent-token')}`);
}

/** Writes the token file of the servers. */
export function writeToken(directory: string, { certificate }: Certificate, password: string): void {
  writeWhole(join(directory, 'token'), `${fullToken(certificate, 'server', password)}\n`, 0o600);
}

/** Writes a file at once, with its mode. */
export function writeWhole(path: string, content: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(`${path}.tmp`, content, { mode });
  chmodSync(`${path}.tmp`, mode);
  renameSync(`${path}.tmp`, path);
}
