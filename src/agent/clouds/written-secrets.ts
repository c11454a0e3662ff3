/**
 * @module Secrets and registry passwords for clouds without a vault, in the places that the cloud's settings section
 * names.
 */
import * as z from 'zod/mini';
import { loginServer, secretName, words } from '../settings/forms.ts';
import { about } from '../settings/section.ts';
import type { Cloud } from './cloud.ts';
import type { CloudGround } from './driver.ts';
import { received } from './jwt.ts';
import { refusal, secretAt, secretDigest, secretPlace } from './secret-place.ts';
import { ifKnown } from './secret-version.ts';

/** The settings that name the place of each secret and each login. */
export const writtenSecretsShape = {
  secrets: about(
    'The file that contains each secret, by the name of the secret; or `credential:NAME` for a systemd credential (LoadCredential= of slipway.service).',
    z.record(secretName, secretPlace),
  ),
  registries: about(
    'The user name and the password file for each registry, by login server; instead of a file, `credential:NAME` names a systemd credential.',
    z.record(loginServer, z.strictObject({ username: words, passwordFile: secretPlace })),
  ),
};

/** The places of secrets and logins, by secret name and login server. */
export interface WrittenSecrets {
  readonly secrets: Readonly<Record<string, string>>;
  readonly registries: Readonly<Record<string, { readonly username: string; readonly passwordFile: string }>>;
}

type SecretsOfCloud = Pick<
  Cloud,
  'secret' | 'secretVersion' | 'formerSecret' | 'registryUser' | 'registryPassword' | 'imageDigest'
>;

/**
 * Returns the part of a cloud that reads secrets and logins from these places. Messages use `section`, the name of the
 * cloud's settings section.
 */
export function writtenSecrets(
  section: string,
  { secrets, registries }: WrittenSecrets,
  { host, machine: { credentials } }: Pick<CloudGround<unknown>, 'host' | 'machine'>,
): SecretsOfCloud {
  const placeOf = (name: string) => entry(secrets, name) ?? missingSecret(section, name);
  return {
    secret: async (name) => secretAt(host, placeOf(name), credentials, `the secret "${name}"`),
    secretVersion: (name) => ifKnown(async () => secretDigest(host, placeOf(name), credentials)),
    formerSecret: async () => undefined,
    // Returns a user name even without a login, because a dry run requests only the name; `registryPassword` reports a
    // missing login.
    registryUser: (loginServer) => entry(registries, loginServer)?.username ?? 'unknown',
    async registryPassword(loginServer) {
      const { passwordFile } = entry(registries, loginServer) ?? missingLogin(section, loginServer);
      const what = `the password of ${loginServer}`;
      return received(await secretAt(host, passwordFile, credentials, what), host.now());
    },
    imageDigest: async () => undefined,
  };
}

function entry<Value>(table: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

function missingSecret(section: string, name: string): never {
  throw refusal(
    'SecretNotFound',
    `No file is named for the secret "${name}". Set ${section}.secrets.${name} to the file or the credential that holds it.`,
  );
}

function missingLogin(section: string, loginServer: string): never {
  throw refusal(
    'RegistryUnauthorized',
    `No login is configured for ${loginServer}. Set ${section}.registries."${loginServer}" with username and passwordFile, or take it out of registries.servers.`,
  );
}
