import type { Cloud } from '../../../clouds/cloud.ts';
import type { Host } from '../../../engine/host.ts';
import { redacted, Secret } from '../../../engine/secret.ts';
import type { K3sNode } from '../../../node.ts';
import { currentSecret } from './current-secret.ts';
import { kindOf } from './kinds/kinds.ts';
import { tokenUnusable } from './server-password.ts';
import { parseToken } from './token.ts';

/**
 * Returns the token from the cloud as the content of a token file; in a dry run, returns the placeholder. Reads the
 * secret only if its version is new or unknown. Throws `SecretEmpty` if the secret is not a token.
 */
export async function fetchToken(host: Host, cloud: Cloud, name: string): Promise<Secret> {
  const secret = await host.obtain(`the join token (secret ${name})`, () => currentSecret(cloud, name));
  if (!parseToken(secret.reveal()) && !isRedacted(secret)) {
    throw tokenUnusable(name, 'it is empty, has blanks in it, or begins like a K10 token but is not one');
  }
  return new Secret(`${secret.reveal().trim()}\n`, `${secret}\n`);
}

/**
 * Returns the token that the secret had before its current version, as the content of a token file; `undefined` if the
 * cloud does not show it. In a dry run, returns the placeholder.
 */
export async function fetchFormerToken(host: Host, cloud: Cloud, name: string): Promise<Secret | undefined> {
  const secret = await host.obtain(
    `the former join token (secret ${name})`,
    async () => (await cloud.formerSecret(name)) ?? new Secret(''),
  );
  const text = secret.reveal().trim();
  return text === '' ? undefined : new Secret(`${text}\n`, `${secret}\n`);
}

/** True for the placeholder that a dry run uses in place of a secret, which it does not fetch. */
export function isRedacted(secret: Secret | string): boolean {
  return (typeof secret === 'string' ? secret : secret.reveal()).trim() === redacted;
}

/** Returns the name of the secret that contains the token of this node. */
export function tokenSecretName(node: K3sNode): string {
  return kindOf(node).tokenSecret(node.settings);
}
