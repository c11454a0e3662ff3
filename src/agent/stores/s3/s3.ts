import * as z from 'zod/mini';
import { NodeError } from '../../engine/errors.ts';
import { Secret } from '../../engine/secret.ts';
import { forPerson } from '../../engine/severity.ts';
import { url } from '../../settings/address-forms.ts';
import { secretName, text } from '../../settings/forms.ts';
import { about } from '../../settings/section.ts';
import type { StoreDriver, StoreGround } from '../driver.ts';
import { objectName } from '../object-name.ts';
import { restStore } from '../rest-store.ts';
import { s3Protocol } from './s3-protocol.ts';
import type { SigningKey } from './signature-v4.ts';

const bucket = '[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]';

const schema = z.optional(
  about(
    'Settings for a `to` that begins with `s3://`.',
    z.strictObject({
      endpoint: about(
        'The address of the S3-compatible service; by default that of Amazon S3 in the region.',
        z.optional(url),
      ),
      region: about(
        'The region in whose name requests are signed; by default `us-east-1`, which most services other than Amazon S3 accept.',
        z.optional(text(/^[a-z0-9-]{1,64}$/, 'be a region such as eu-central-1')),
      ),
      secretName: about(
        'The name of the secret with the key, written as `ACCESS_KEY_ID:SECRET_ACCESS_KEY` on one line; by default `backup-s3`.',
        z.optional(secretName),
      ),
    }),
  ),
);

/** A bucket of Amazon S3 or of another service with the same protocol, used with a key from the vault. */
export const s3 = {
  summary: 'an S3-compatible bucket',
  form: `s3://${bucket}(?:/${objectName})?`,
  example: 's3://BUCKET',
  settings: {
    key: 's3',
    schema,
    plainHttp: () => [{ path: ['endpoint'], risk: 'read the backups, which contain every Secret' }],
  },
  create({ host, cloud, to, settings = {} }: StoreGround<z.output<typeof schema>>) {
    const { region = 'us-east-1', secretName: name = 'backup-s3' } = settings;
    const endpoint = settings.endpoint ?? `https://s3.${region}.amazonaws.com`;
    const key = keptKey({ host, cloud, name, region });
    return restStore(host, s3Protocol({ to, endpoint: endpoint.replace(/\/+$/, ''), host, key }));
  },
} as const satisfies StoreDriver<typeof schema>;

interface KeyOptions extends Pick<StoreGround<unknown>, 'host' | 'cloud'> {
  readonly name: string;
  readonly region: string;
}

/** Reads the key from the vault for the first request, and again after `forget`. */
function keptKey({ host, cloud, name, region }: KeyOptions) {
  let kept: SigningKey | undefined;
  return {
    async current(): Promise<SigningKey> {
      const value =
        kept ?? (await host.obtain(`the key for the store (secret ${name})`, () => cloud.secret(name)));
      kept = value instanceof Secret ? parsedKey(value, name, region) : value;
      return kept;
    },
    forget() {
      kept = undefined;
    },
  };
}

function parsedKey(value: Secret, name: string, region: string): SigningKey {
  const [, id, secret] = /^([^\s:/]{1,128}):([^\s]{1,256})$/.exec(value.reveal()) ?? [];
  if (id === undefined || secret === undefined) {
    throw new NodeError(
      'StoreForbidden',
      `The secret "${name}" is not a key for an S3-compatible store. Write it as ACCESS_KEY_ID:SECRET_ACCESS_KEY on one line.`,
      forPerson,
    );
  }
  return { id, secret: new Secret(secret), region };
}
