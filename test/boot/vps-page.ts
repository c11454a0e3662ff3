/**
 * The commands and settings that docs/usage/vps.md gives its readers. Throws on import if the page no longer contains
 * one of them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const page = readFileSync(join(import.meta.dirname, '../../docs/usage/vps.md'), 'utf8');

/** The command that encrypts the join token, which the command reads from its standard input. */
export const encryptToken = found(/^(systemd-creds encrypt \S+ - \S+)/m);

/** The line that loads the credential in a drop-in of slipway.service. */
export const loadCredential = found(/(LoadCredentialEncrypted=\S+)/);

/** The settings that name the credential instead of a file. */
export const credentialSettings = found(/`(static: \{ secrets: [^`]*)`/);

/** The command that opens the ports of an ingress controller in the network of the node. */
export const openIngress = found(/^ *(nft insert rule .*)$/m);

function found(pattern: RegExp): string {
  const [, text] = pattern.exec(page) ?? [];
  if (text === undefined) {
    throw new Error(`docs/usage/vps.md has no ${pattern}.`);
  }
  return text;
}
