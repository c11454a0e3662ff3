import { join } from 'node:path';
import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import { remembering } from '../../engine/remembering.ts';
import type { NodePaths } from '../../paths.ts';
import { type ReadYaml, readYaml } from '../../settings/yaml.ts';

/** The name of the plugin, for its file in the plugin folder and its entry in the configuration. */
export const pluginName = 'slipway-credential-provider';

/** The first words of each configuration that Slipway writes. */
export const header = '# Written by Slipway';

const parsed = remembering((text) => readYaml(text));

function read(text: string): ReadYaml {
  return parsed(text, 'credential-provider.yaml');
}

const schema = z.object({
  providers: z.array(z.looseObject({ name: z.string(), matchImages: z.array(z.string()) })),
});

/**
 * Returns the registries about which kubelet asks Slipway, from the text of a CredentialProviderConfig; none if the
 * text is invalid.
 */
export function servedRegistries(text: string): readonly string[] {
  const { data } = z.safeParse(schema, read(text).value);
  const ours = data?.providers.filter(({ name }) => name === pluginName) ?? [];
  return ours.flatMap(({ matchImages }) => matchImages);
}

/**
 * True if a configuration belongs to Slipway, even if damaged or cut off: it names no other provider, and it is empty,
 * has all or the beginning of Slipway's header, or names Slipway's provider.
 */
export function isOurs(text: string): boolean {
  return isOursAs(text, read(text));
}

function isOursAs(text: string, document: ReadYaml): boolean {
  const names = providerNames(text, document);
  if (names.some((name) => name !== pluginName && !isCutOff(text, name))) {
    return false;
  }
  return isEmpty(text) || text.includes(header) || header.startsWith(text.trim()) || names.length > 0;
}

/**
 * True if the text contains only white space and NUL characters, as a power loss can leave a file. Kubelet does not
 * start with an empty configuration.
 */
function isEmpty(text: string): boolean {
  return text.replaceAll('\0', '').trim() === '';
}

/** True if the text is a configuration by Slipway that was cut off before or within the name of the plugin. */
function isCutOff(text: string, name: unknown): boolean {
  if (!text.includes(header)) {
    return false;
  }
  if (typeof name !== 'string') {
    return true;
  }
  return (
    pluginName.startsWith(name) && /^["']?$/.test(text.trimEnd().slice(text.lastIndexOf(name) + name.length))
  );
}

function providerNames(text: string, { value, faults }: ReadYaml): readonly unknown[] {
  if (faults.length > 0) {
    return [...text.matchAll(/^[\s-]*name:\s*["']?([\w.-]+)/gm)].map(([, name]) => name);
  }
  return [Object(value).providers ?? []].flat().map((provider) => Object(provider).name);
}

/**
 * Returns the content of a configuration whose only provider is Slipway's, with `matchImages` sorted and without
 * duplicates; `undefined` if another provider is configured or the configuration is invalid.
 */
export function ownContent(text: string): unknown {
  const document = read(text);
  if (!isOursAs(text, document)) {
    return undefined;
  }
  const { success, data } = z.safeParse(schema, document.value);
  if (!success || data.providers.length === 0) {
    return undefined;
  }
  const providers = data.providers.map((provider) => ({
    ...provider,
    matchImages: inOrder(provider.matchImages),
  }));
  return { ...Object(document.value), providers };
}

/** Returns the servers sorted and without duplicates. */
export function inOrder(servers: readonly string[]): readonly string[] {
  return [...new Set(servers)].sort();
}

/** True if the plugin is an executable file, not a link. Without the plugin, kubelet exits, and K3s with it. */
export async function hasPlugin(host: HostReader, { k3s }: NodePaths): Promise<boolean> {
  const found = await host.stat(join(k3s.credentialProviderBin, pluginName));
  return found?.kind === 'file' && (found.mode & 0o111) !== 0;
}
