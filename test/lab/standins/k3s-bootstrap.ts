/**
 * The passwords of a server, and the bootstrap data in its datastore.
 *
 * Models pkg/daemons/control/deps/deps.go (genUsers: the password file follows the tokens given at the start, and is
 * written only if it changes), pkg/cluster/storage.go (one row for each token; an existing row is not overwritten by a
 * start), pkg/cluster/bootstrap.go (a password file that is at least three seconds newer than the row stops K3s; one
 * that is missing or older is written from the row) and pkg/server/handlers/token.go (the order of a rotation). A
 * running K3s accepts only the passwords with which it started (pkg/authenticator/passwordfile).
 *
 * The password file contains digests instead of passwords, so that tests that look for leaked secrets may search it.
 */
import { createHash } from 'node:crypto';

/** The files below the folder of a server. */
export interface ServerFiles {
  read(path: string): string | undefined;
  write(path: string, text: string): void;
  /** The time of the last change in epoch milliseconds; 0 for a missing file. */
  modifiedAt(path: string): number;
}

interface Row {
  readonly key: string;
  readonly passwd: string;
  /** When the password file in the row was last changed, in epoch milliseconds. */
  readonly at: number;
}

/** The steps of a rotation, after each of which K3s may be killed. */
export const rotationSteps = ['passwords', 'token', 'new row', 'old row', 'saved'] as const;
export type RotationStep = (typeof rotationSteps)[number];

const passwd = 'cred/passwd';
const rows = 'db/bootstrap.json';
/** How much newer the password file may be than the row, in milliseconds (systemTimeSkew). */
const skew = 3_000;

/** Returns the name of the row of a password. */
export function rowKey(password: string): string {
  return createHash('sha256').update(`slipway-lab:${password}`).digest('hex');
}

/**
 * Does what a start of K3s does with its passwords. `agent` is the password of the agents, if they have their own.
 * Returns the message of a fatal error; `undefined` if K3s starts.
 */
export function startPasswords(
  files: ServerFiles,
  { server, agent }: { readonly server: string; readonly agent: string | undefined },
): string | undefined {
  const wanted = passwdText(rowKey(server), rowKey(agent ?? server));
  const known = readRows(files);
  const row = known.find(({ key }) => key === rowKey(server));
  if (known.length > 0 && row === undefined) {
    return 'Error: preparing server: failed to bootstrap cluster data: bootstrap data already found and encrypted with different token';
  }
  if (row && files.read(passwd) !== undefined && files.read(passwd) !== row.passwd) {
    if (files.modifiedAt(passwd) - row.at >= skew) {
      return `/var/lib/rancher/k3s/server/${passwd} newer than datastore and could cause a cluster outage. Remove the file(s) from disk and restart to be recreated from datastore.`;
    }
  }
  if (row && files.read(passwd) !== row.passwd) {
    files.write(passwd, row.passwd);
  }
  if (files.read(passwd) !== wanted) {
    files.write(passwd, wanted);
  }
  if (row === undefined) {
    writeRows(files, [{ key: rowKey(server), passwd: wanted, at: files.modifiedAt(passwd) }]);
  }
  return undefined;
}

/** Writes the password file of a server whose datastore other servers share; returns the password of the servers. */
export function ensurePasswords(
  files: ServerFiles,
  { server, agent }: { readonly server: string; readonly agent: string | undefined },
): string {
  const wanted = passwdText(rowKey(server), rowKey(agent ?? server));
  if (files.read(passwd) !== wanted) {
    files.write(passwd, wanted);
  }
  return server;
}

/**
 * Rotates to a new password, as PUT /v1-k3s/token does; returns the status. `after` is called after each step, and may
 * throw to end K3s there. `writeToken` writes the token file. With `ownsRows` false, the rows of the datastore stay.
 */
export function rotatePasswords(
  files: ServerFiles,
  next: { readonly password: string; readonly hasAgentToken: boolean },
  writeToken: (password: string) => void,
  after: (step: RotationStep) => void = () => {},
  ownsRows = true,
): 200 | 500 {
  const { password, hasAgentToken } = next;
  // Refused since the releases of October 2025, before anything changes (k3s-io/k3s#12982).
  if (/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(password)) {
    return 500;
  }
  const key = rowKey(password);
  const [server = '', node = ''] = (files.read(passwd) ?? '').split('\n').map((line) => line.split(',')[0]);
  const changed = passwdText(key, node === server && !hasAgentToken ? key : node);
  if (files.read(passwd) !== changed) {
    files.write(passwd, changed);
  }
  after('passwords');
  writeToken(password);
  after('token');
  if (!ownsRows) {
    return 200;
  }
  const old = readRows(files).find((row) => row.key === server && row.key !== key);
  if (old) {
    if (!readRows(files).some((row) => row.key === key)) {
      writeRows(files, [...readRows(files), { ...old, key }]);
    }
    after('new row');
    writeRows(
      files,
      readRows(files).filter((row) => row !== old && row.key !== old.key),
    );
  }
  after('old row');
  const [only, ...others] = readRows(files);
  if (only?.key !== key || others.length > 0) {
    return 500;
  }
  writeRows(files, [{ key, passwd: changed, at: files.modifiedAt(passwd) }]);
  after('saved');
  return 200;
}

function passwdText(server: string, node: string): string {
  return `${server},server,server,k3s:server\n${node},node,node,k3s:agent\n`;
}

/** Returns the names of the rows in the datastore. */
export function rowKeys(files: ServerFiles): readonly string[] {
  return readRows(files).map(({ key }) => key);
}

function readRows(files: ServerFiles): readonly Row[] {
  return JSON.parse(files.read(rows) ?? '[]');
}

function writeRows(files: ServerFiles, written: readonly Row[]): void {
  files.write(rows, `${JSON.stringify(written)}\n`);
}
