import { type Secret, sensitive } from '../../../engine/secret.ts';
import type { K3sNode } from '../../../node.ts';
import { isMap } from '../../../settings/path.ts';
import { readK3sYaml } from '../../../settings/yaml.ts';
import { parseEndpoint } from '../flags/datastore-endpoint.ts';

/** The keys about the datastore in the drop-in of K3s that Slipway writes, as strings. */
export type EndpointKeys = Readonly<Record<string, string>>;

/** Returns the keys of the drop-in that do not contain a secret: the paths of the certificates. */
export function certificateKeys({ settings }: Pick<K3sNode, 'settings'>): EndpointKeys {
  const { caFile, certFile, keyFile } = settings.datastore;
  const keys = {
    'datastore-cafile': caFile,
    'datastore-certfile': certFile,
    'datastore-keyfile': keyFile,
  };
  return Object.fromEntries(
    Object.entries(keys).filter((each): each is [string, string] => each[1] !== undefined),
  );
}

/** Renders the drop-in. The strings are quoted as in JSON, which YAML reads alike. */
export function renderEndpoint(node: Pick<K3sNode, 'settings'>, endpoint: Secret): Secret {
  const lines = Object.entries(certificateKeys(node)).map(
    ([key, value]) => `${key}: ${JSON.stringify(value)}\n`,
  );
  const head = '# Written by Slipway from the secret that datastore.secretName names.\n';
  return sensitive(
    (show) => `${head}datastore-endpoint: ${JSON.stringify(show(endpoint))}\n${lines.join('')}`,
  );
}

/** Returns the keys in the text of the drop-in; empty if the text is not a YAML map. */
export function readEndpoint(text: string, path: string): EndpointKeys {
  const { value } = readK3sYaml(text, path);
  const entries = isMap(value) ? Object.entries(value) : [];
  return Object.fromEntries(entries.map(([key, each]) => [key, String(each)]));
}

/** True if the text of the drop-in has an endpoint that K3s can use. */
export function hasEndpoint(text: string, path: string): boolean {
  return typeof parseEndpoint(readEndpoint(text, path)['datastore-endpoint'] ?? '') !== 'string';
}
