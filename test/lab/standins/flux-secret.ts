import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import type { Parsed } from './flux-flags.ts';
import type { Say } from './flux-model.ts';
import { namespace } from './flux-objects.ts';
import { updatedBy } from './k3s-apply.ts';
import type { Objects } from './k3s-objects.ts';

/** The inputs for the source secret. */
export interface SourceSecret {
  readonly flags: Parsed;
  readonly cluster: Objects;
  readonly token: string;
  /** The content of the file in --ca-file; `undefined` without this flag. */
  readonly ca: string | undefined;
  /** The clone URL. */
  readonly url: string;
  /** The sync path, such as `./clusters/prod`. */
  readonly path: string;
  readonly say: Say;
}

/** Writes the source secret if it is missing or --token-auth is given (ReconcileSourceSecret). */
export function reconcileSecret(source: SourceSecret): void {
  const { flags, cluster, say } = source;
  const name = flags.text('secret-name', namespace);
  say('►', `determining if source secret "${namespace}/${name}" exists`);
  const exists = cluster.get('secrets', namespace, name) !== undefined;
  if (exists && !flags.on('token-auth')) {
    say('✔', 'source secret up to date');
    return;
  }
  say('►', 'generating source secret');
  const data = flags.on('token-auth') ? tokenData(source) : keyData(source);
  say('►', `applying source secret "${namespace}/${name}"`);
  writeFluxSecret(cluster, data, name);
  say('✔', 'reconciled source secret');
}

/**
 * Writes the Secret that Flux uses to fetch the repository, as the flux CLI does: with an update that keeps other keys,
 * as the field manager `flux` (fluxcd/flux2 pkg/bootstrap, reconcileSecret; client-go names the manager after the
 * program).
 */
export function writeFluxSecret(
  cluster: Objects,
  values: Readonly<Record<string, string>>,
  name: string = namespace,
): void {
  const data = Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
  const live = cluster.get('secrets', namespace, name);
  const object = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace },
    type: 'Opaque',
    data: Object.fromEntries(data),
  };
  cluster.put('secrets', namespace, updatedBy('flux', live, object));
}

function tokenData({ flags, token, ca }: SourceSecret): Readonly<Record<string, string>> {
  return { username: userOf(flags), password: token, ...(ca !== undefined && { 'ca.crt': ca }) };
}

/**
 * Returns the user name for the source secret: the owner of a personal repository on Bitbucket; otherwise --username,
 * by default `git`.
 */
function userOf(flags: Parsed): string {
  const isPersonal = flags.command === 'bootstrap bitbucket-server' && flags.on('personal');
  return isPersonal ? flags.text('owner') : flags.text('username', 'git');
}

/**
 * Returns a made-up key pair, and reports the public key. Also reports a new deploy key on the Git host, except for
 * `bootstrap git`.
 */
function keyData({ flags, url, path, say }: SourceSecret): Readonly<Record<string, string>> {
  const key = createHash('sha256').update(`${url} ${path}`).digest('base64');
  const publicKey = `ecdsa-sha2-nistp384 ${key}`;
  say('✔', `public key: ${publicKey}`);
  if (flags.command !== 'bootstrap git') {
    const [branch, repository] = [flags.text('branch', 'main'), url.replace(/\.git$/, '')];
    const name = [namespace, branch, namespace, path].join('-');
    say('✔', `configured deploy key "${name}" for "${repository}"`);
  }
  return { identity: 'a key of the lab', 'identity.pub': publicKey, known_hosts: posix.basename(url) };
}
