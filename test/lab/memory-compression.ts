import type { Compressed } from '../../src/agent/engine/compression.ts';
import { sha256 } from '../../src/agent/engine/digest.ts';
import { NodeError } from '../../src/agent/engine/errors.ts';
import { forPerson } from '../../src/agent/engine/severity.ts';
import { damaged } from '../../src/agent/host/database/database-errors.ts';
import { fileError, systemError } from '../../src/agent/host/files/file-errors.ts';
import type { MemoryFiles } from './memory-files.ts';

/** Marks a file of a MemoryHost as compressed. The digest of the content follows, and then the content. */
const magic = 'zstd ';

/** Compresses a file of a MemoryHost. */
export function memoryCompressed(files: MemoryFiles, from: string, to: string): Compressed {
  const plain = textOf(files, from, 'compress');
  const packed = `${magic}${sha256(plain)}\n${plain}`;
  files.write(to, packed, 0o600);
  return { plain: digestOf(plain), packed: digestOf(packed) };
}

/** Decompresses a file of a MemoryHost. Throws `DatabaseDamaged` for any other file, and for one that was changed. */
export function memoryDecompressed(files: MemoryFiles, from: string, to: string, limit: number): Compressed {
  const packed = textOf(files, from, 'decompress');
  const [head = '', ...rest] = packed.split('\n');
  const plain = rest.join('\n');
  if (head !== `${magic}${sha256(plain)}`) {
    throw damaged(from, 'the compressed data is damaged');
  }
  if (Buffer.byteLength(plain) > limit) {
    throw new NodeError(
      'DatabaseDamaged',
      `${to} was not written: it has more than ${limit} bytes.`,
      forPerson,
    );
  }
  files.write(to, plain, 0o600);
  return { plain: digestOf(plain), packed: digestOf(packed) };
}

function textOf(files: MemoryFiles, path: string, action: string): string {
  const text = files.text(path);
  if (text === undefined) {
    throw fileError(systemError('ENOENT'), action, path);
  }
  return text;
}

function digestOf(text: string) {
  return { bytes: Buffer.byteLength(text), sha256: sha256(text) };
}
