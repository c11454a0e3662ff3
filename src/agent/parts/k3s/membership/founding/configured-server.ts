import type { HostReader } from '../../../../engine/host.ts';
import type { NodePaths } from '../../../../paths.ts';
import { readableText } from '../../../../resources/file-text.ts';
import { mergedFlags } from '../../flags/flags.ts';
import { configFlags } from '../../flags/given-flags.ts';

/** Returns the server that config.yaml lets a server join; `undefined` if it names none. */
export async function configuredServer(host: HostReader, { k3s }: NodePaths): Promise<string | undefined> {
  const flags = configFlags(await readableText(host, k3s.config), k3s.config);
  return mergedFlags(flags).get('server')?.at(-1);
}
