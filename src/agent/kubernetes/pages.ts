import * as z from 'zod/mini';
import type { HostReader } from '../engine/host.ts';
import { readApi } from './api.ts';
import type { ApiAccess } from './kubeconfig.ts';

/** Objects per request: a Node has about 15 KB of JSON, and the Host limits the size of an answer. */
const pageSize = 50;
const mostPages = 100;

/**
 * Reads a list of any length, page by page (kubernetes.io, "API Concepts", retrieving large results sets in chunks), at
 * most 5,000 objects. `path` is from `listPath`, without labels. Throws the errors of `readApi`.
 */
export async function readPages<Item extends z.ZodMiniType>(
  host: HostReader,
  access: ApiAccess,
  path: string,
  item: Item,
  form: 'whole' | 'listMetadata' = 'whole',
): Promise<readonly z.output<Item>[]> {
  const page = z.object({
    metadata: z.nullish(z.object({ continue: z.nullish(z.string()) })),
    items: z.nullish(z.array(item)),
  });
  const items: z.output<Item>[] = [];
  let next = '';
  for (let count = 0; count < mostPages; count += 1) {
    const token = next && `&continue=${encodeURIComponent(next)}`;
    const found = await readApi(host, access, `${path}?limit=${pageSize}${token}`, page, form);
    items.push(...(found?.items ?? []));
    next = found?.metadata?.continue ?? '';
    if (next === '') {
      break;
    }
  }
  return items;
}
