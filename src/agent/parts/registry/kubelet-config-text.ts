import { join } from 'node:path';
import * as z from 'zod/mini';
import type { HostReader } from '../../engine/host.ts';
import { remembering } from '../../engine/remembering.ts';
import type { NodePaths } from '../../paths.ts';
import { type ReadYaml, readYaml } from '../../settings/yaml.ts';

/** What kubelet calls the plugin: its file in the folder of plugins, and its entry in the configuration. */
export const pluginName = 'slipway-credential-provider';

/** How a configuration begins that Slipway wrote. */
export const header = '# Written by Slipway';

const parsed = remembering(readYaml);

function read(text: string): ReadYaml {
  return parsed(text, 'credential-provider.yaml');
}

const schema = z.object({
  providers: z.array(z.looseObject({ name: z.string(), matchImages: z.array(z.string()) })),
});

/** The registries for which kubelet asks Slipway, by the text of its CredentialProviderConfig. */
export function servedRegistries(text: string): readonly string[] {
  const { data } = z.safeParse(schema, read(text).value);
  const ours = data?.providers.filter(({ name }) => name === pluginName) ?? [];
  return ours.flatMap(({ matchImages }) => matchImages);
}

/** Nothing, or what Slipway wrote, damaged though it may be; a file that names another provider is somebody else's. */
export function isOurs(text: string): boolean {
  return isOursAs(text, read(text));
}

function isOursAs(text: string, document: ReadYaml): boolean {
  const names = providerNames(text, document);
  if (names.some((name) => name !== pluginName && !isCutOff(text, name))) return false;
  return isEmpty(text) || text.includes(header) || header.startsWith(text.trim()) || names.length > 0;
}

/** Nothing but white space and NUL characters, as a power loss leaves a file; kubelet does not start with it. */
function isEmpty(text: string): boolean {
  return text.replaceAll('\0', '').trim() === '';
}

/** The beginning of our name, with which a text of ours ends that was not written whole. */
function isCutOff(text: string, name: unknown): boolean {
  if (!text.includes(header)) return false;
  if (typeof name !== 'string') return true;
  return (
    pluginName.startsWith(name) && /^["']?$/.test(text.trimEnd().slice(text.lastIndexOf(name) + name.length))
  );
}

function providerNames(text: string, { value, faults }: ReadYaml): readonly unknown[] {
  if (faults.length > 0) return [...text.matchAll(/^[\s-]*name:\s*["']?([\w.-]+)/gm)].map(([, name]) => name);
  return [Object(value).providers ?? []].flat().map((provider) => Object(provider).name);
}

/** The content of a configuration that is Slipway's alone, in one order; `undefined` of any other. */
export function ownContent(text: string): unknown {
  const document = read(text);
  if (!isOursAs(text, document)) return undefined;
  const { success, data } = z.safeParse(schema, document.value);
  if (!success || data.providers.length === 0) return undefined;
  const providers = data.providers.map((provider) => ({
    ...provider,
    matchImages: inOrder(provider.matchImages),
  }));
  return { ...Object(document.value), providers };
}

/** Each once, whatever the order they were named in. */
export function inOrder(servers: readonly string[]): readonly string[] {
  return [...new Set(servers)].sort();
}

/** Whether the plugin is there for kubelet to run: kubelet, and K3s with it, ends where it is not. */
export async function hasPlugin(host: HostReader, { k3s }: NodePaths): Promise<boolean> {
  const found = await host.stat(join(k3s.credentialProviderBin, pluginName));
  return found?.kind === 'file' && (found.mode & 0o111) !== 0;
}
