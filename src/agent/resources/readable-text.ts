import { NodeError } from '../engine/errors.ts';
import type { HostReader } from '../engine/host.ts';

/** The text of a file, and nothing where there is none to read: a folder may have the name of one. */
export async function readableText(host: HostReader, path: string): Promise<string> {
  const kind = (await host.stat(path))?.kind;
  if (kind !== 'file' && kind !== 'link') return '';
  try {
    return (await host.readFile(path))?.content ?? '';
  } catch (error) {
    if (error instanceof NodeError) return '';
    throw error;
  }
}
