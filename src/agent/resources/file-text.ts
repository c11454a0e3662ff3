import { NodeError } from '../engine/errors.ts';
import type { HostReader } from '../engine/host.ts';

/** Returns the text of a file; an empty string if the file is missing. */
export async function fileText(host: Pick<HostReader, 'readFile'>, path: string): Promise<string> {
  return (await host.readFile(path))?.content ?? '';
}

/**
 * Returns the text of a file; an empty string if the path is missing, is neither a file nor a link, or cannot be read.
 */
export async function readableText(host: HostReader, path: string): Promise<string> {
  const kind = (await host.stat(path))?.kind;
  if (kind !== 'file' && kind !== 'link') {
    return '';
  }
  try {
    return await fileText(host, path);
  } catch (error) {
    if (error instanceof NodeError) {
      return '';
    }
    throw error;
  }
}
