import * as z from 'zod/mini';
import type { HostReader } from '../engine/host.ts';
import { expected, readOnce } from './answer.ts';
import { readApi } from './api.ts';
import type { ApiAccess } from './kubeconfig.ts';

/** Objects per request: a Node has about 15 KB of JSON, and the Host limits the size of an answer. */
const pageSize = 50;
const mostPages = 100;

/** One page, whose items are read with the schema of the caller. */
const page = z.object({
  metadata: z.nullish(z.object({ continue: z.nullish(z.string()) })),
  // An empty list of metadata has `items: null` (seen with Kubernetes 1.36).
  items: z.nullish(z.array(z.unknown())),
});

/**
 * Reads the objects at a path of a list (`listPath`), whole or only their metadata, page by page (kubernetes.io, "API
 * Concepts", retrieving large results sets in chunks): at most 5,000 objects. Returns an empty list if the kind does
 * not exist yet. Throws the errors of `readApi`.
 */
export async function readList<Item extends z.ZodMiniType>(
  host: HostReader,
  access: ApiAccess,
  path: string,
  item: Item,
  form: 'whole' | 'listMetadata' = 'whole',
): Promise<readonly z.output<Item>[]> {
  const start = `${path}${path.includes('?') ? '&' : '?'}limit=${pageSize}`;
  const items: z.output<Item>[] = [];
  let next = '';
  for (let count = 0; count < mostPages; count += 1) {
    const token = next && `&continue=${encodeURIComponent(next)}`;
    const found = await readApi(host, access, `${start}${token}`, page, form);
    items.push(...itemsIn(found?.items ?? [], item, path));
    next = found?.metadata?.continue ?? '';
    if (next === '') {
      break;
    }
  }
  return items;
}

function itemsIn<Item extends z.ZodMiniType>(
  found: readonly unknown[],
  item: Item,
  path: string,
): readonly z.output<Item>[] {
  return readOnce(found, item, () => found.map((each) => expected(z.safeParse(item, each), path)));
}
