import type { HostReader } from '../../engine/host.ts';
import type { K3sNode } from '../../node.ts';
import { readableText } from '../../resources/file-text.ts';
import { header } from './provider-file.ts';
import { namesRegistry, parseRegistries, wantedRegistries } from './registries-yaml.ts';

/** Returns the registries of a registries.yaml that Slipway did not write, and of which the settings say nothing. */
export async function lostRegistries(
  host: HostReader,
  { paths, settings }: K3sNode,
): Promise<readonly string[]> {
  if (!namesRegistry(settings.registries)) return [];
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
