import { isDeepStrictEqual } from 'node:util';
import type { FoundFile, HostReader } from '../../engine/host.ts';
import type { Resource } from '../../engine/resource.ts';
import { Secret } from '../../engine/secret.ts';
import type { K3sNode } from '../../node.ts';
import { type Currency, credential } from '../../resources/credential.ts';
import { isOwnWriting } from '../../resources/file-attributes.ts';
import { readableText } from '../../resources/file-text.ts';
import { loginFor } from './answer/logins.ts';
import { onceStored } from './former-logins.ts';
import { header } from './kubelet-config-text.ts';
import { readLogins } from './login-store.ts';
import {
  type Login,
  namesRegistry,
  parseRegistries,
  type Registries,
  renderRegistries,
  wantedRegistries,
  withoutAuth,
} from './registries-yaml.ts';

/**
 * Keeps registries.yaml as the settings and the login store require. Returns no resource if the settings name no
 * registry, so that a file of the operator stays.
 *
 * A login server that is missing from the store keeps its login in the file, so that K3s still starts with that login
 * if the store is lost while the registry is down. Such a login is kept even if other users can read the file, since a
 * script may have written the file, but not if other users can write to it.
 */
export function registriesFile(node: K3sNode, needs: readonly string[]): readonly Resource[] {
  if (!namesRegistry(node.settings.registries)) {
    return [];
  }
  const path = node.paths.k3s.registries;
  const written = credential({
    id: `File/${path}`,
    path,
    summary: `write ${path}`,
    condition: 'Registries',
    needs,
    isCurrent: (found, _now, host) => judge(host, node, found),
    render: (host, found) => render(host, node, found),
  });
  return [onceStored(written, node.paths)];
}

async function render(
  host: HostReader,
  { paths, settings: { registries } }: K3sNode,
  found: FoundFile | undefined,
): Promise<Secret> {
  const stored = await readLogins(host, paths);
  const { configs = {} } = (found && isOwnWriting(found) && parseRegistries(found.content)) || {};
  const logins = registries.servers.flatMap((server) => {
    const { username, password } = loginFor(stored, server) ?? configs[server]?.auth ?? {};
    return username && password ? [[server, { username, password: new Secret(password) }] as const] : [];
  });
  return renderRegistries(registries, new Map<string, Login>(logins));
}

/**
 * Compares the file with the wanted content. Reports differences by name, never by value. The file counts as due, not
 * as damaged, if only logins differ and the store received every differing login after the file was written.
 */
async function judge(host: HostReader, node: K3sNode, found: FoundFile): Promise<Currency> {
  const wanted = await render(host, node, found);
  if (found.content === wanted.reveal()) {
    return { ok: true };
  }
  const [content, other] = [parseRegistries(found.content), parseRegistries(wanted.reveal())];
  if (!content || !other) {
    return { ok: false, changes: [{ field: 'content', observed: 'malformed', desired: 'registries.yaml' }] };
  }
  const stored = await readLogins(host, node.paths);
  const isNewer = (name: string) => (loginFor(stored, name)?.receivedAt ?? 0) > found.modifiedAt;
  const isOther = !isDeepStrictEqual(withoutAuth(content), withoutAuth(other));
  const names = otherLogins(content, other);
  const fields = [...(isOther ? ['mirrors and TLS'] : []), ...names.map((name) => `login for ${name}`)];
  const changes = (fields.length > 0 ? fields : ['text']).map((field) => ({
    field,
    observed: 'other',
    desired: 'as settings and store have it',
  }));
  return { ok: false, blocks: false, due: !isOther && names.length > 0 && names.every(isNewer), changes };
}

/** Returns the names of the registries whose logins differ. */
function otherLogins({ configs: one = {} }: Registries, { configs: other = {} }: Registries) {
  const names = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return names.filter((name) => !isDeepStrictEqual(one[name]?.auth, other[name]?.auth));
}

/**
 * Returns the settings paths of the registries that an operator's registries.yaml names and the settings do not; none
 * if the settings name no registry.
 */
export async function lostRegistries(
  host: HostReader,
  { paths, settings }: K3sNode,
): Promise<readonly string[]> {
  if (!namesRegistry(settings.registries)) {
    return [];
  }
  const text = await readableText(host, paths.k3s.registries);
  const { mirrors = {}, configs = {} } = (text.startsWith(header) ? undefined : parseRegistries(text)) ?? {};
  const wanted = wantedRegistries(settings.registries);
  return [
    ...Object.keys(mirrors)
      .filter((name) => !Object.hasOwn(wanted.mirrors ?? {}, name))
      .map((name) => `registries.mirrors.${name}`),
    ...Object.keys(configs)
      .filter((name) => !Object.hasOwn(wanted.configs ?? {}, name))
      .map((name) => `registries.configs.${name}`),
  ];
}
