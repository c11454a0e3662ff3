/** Helpers that run the whole program on invalid input, below a temporary root. */
import fs, {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A stand-in for a secret in the input; no output may contain this string. */
export const canary = 'hunter2';

/** An invalid input and the parts of the expected error. `{root}` in the input stands for the temporary root. */
export interface Case {
  readonly name: string;
  /** The arguments of `slipway`. */
  readonly args: readonly string[];
  /** The entries to create, by path below the root: the content of a file, or another kind of entry. */
  readonly files?: Readonly<Record<string, string | Uint8Array | Special>>;
  /** Makes further preparations below this root; resolves to a function that undoes them. */
  readonly arrange?: (root: string) => Promise<() => Promise<void>>;
  /** The source that the error names, such as a flag, a tag, or a file with the path of a setting. */
  readonly source: RegExp | string;
  readonly problem: RegExp;
  readonly repair: RegExp;
  /** The expected number of lines of the error, which depends on the number of faults; 1 by default. */
  readonly lines?: number;
  /** The expected exit code; 1 by default. */
  readonly exitCode?: number;
  /** The pattern that standard output must match; by default, standard output must be empty. */
  readonly stdout?: RegExp;
}

export interface Special {
  readonly is: 'directory' | 'link';
  readonly to?: string;
}

export interface Ended {
  readonly exitCode: number;
  /** The standard output. Here and in `stderr`, `{root}` replaces the path of the root. */
  readonly stdout: string;
  readonly stderr: string;
  /** The paths below the root that the program changed. */
  readonly written: readonly string[];
}

/** Runs the program on a case below a temporary root; resolves to the exit code, outputs and changed paths. */
export async function answerTo(
  { args, files = {}, arrange }: Pick<Case, 'args' | 'files' | 'arrange'>,
  run: (args: readonly string[], root: string) => Promise<Omit<Ended, 'written'>>,
): Promise<Ended> {
  const root = mkdtempSync(join(tmpdir(), 'slipway-bad-input-'));
  try {
    for (const [path, content] of Object.entries(files)) {
      put(root, path, content);
    }
    const undo = await arrange?.(root);
    const before = snapshot(root);
    const ended = await run(
      args.map((arg) => arg.replaceAll('{root}', root)),
      root,
    );
    const written = difference(before, snapshot(root));
    await undo?.();
    const named = (text: string) => text.replaceAll(root, '{root}');
    return { ...ended, stdout: named(ended.stdout), stderr: named(ended.stderr), written };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/**
 * Runs the program in this process; resolves to the exit code and outputs. This takes milliseconds; a separate process
 * takes most of a second.
 */
export async function runHere(args: readonly string[]): Promise<Omit<Ended, 'written'>> {
  const { main } = await import('../../../src/commands/main.ts');
  const said = { stdout: '', stderr: '' };
  const own = { stdout: process.stdout.write, stderr: process.stderr.write };
  const collect = (stream: 'stdout' | 'stderr') => (text: string | Uint8Array) => {
    said[stream] += text;
    return true;
  };
  process.stdout.write = collect('stdout');
  process.stderr.write = collect('stderr');
  const undo = takeWrites({ 1: collect('stdout'), 2: collect('stderr') });
  try {
    return { exitCode: await main(['node', 'slipway', ...args]), ...said };
  } finally {
    undo();
    process.stdout.write = own.stdout;
    process.stderr.write = own.stderr;
  }
}

/**
 * Captures writes to the descriptors in `takers` that bypass the streams, such as those in
 * src/agent/host/process/print.ts. Returns a function that stops the capture.
 */
function takeWrites(takers: Readonly<Record<number, (text: string) => void>>): () => void {
  const { writeSync } = fs;
  const take = (fd: number, bytes: Uint8Array, offset: number): number => {
    const taker = takers[fd];
    if (!taker) {
      return writeSync(fd, bytes, offset);
    }
    taker(Buffer.from(bytes.subarray(offset)).toString());
    return bytes.length - offset;
  };
  const put = (writeSync: unknown) => {
    Object.assign(fs, { writeSync });
    syncBuiltinESMExports();
  };
  put(take);
  return () => put(writeSync);
}

function put(root: string, path: string, content: string | Uint8Array | Special): void {
  const full = join(root, path);
  mkdirSync(dirname(full), { recursive: true });
  if (typeof content === 'string') {
    writeFileSync(full, content.replaceAll('{root}', root), { mode: 0o600 });
  } else if (content instanceof Uint8Array) {
    writeFileSync(full, content);
  } else if (content.is === 'directory') {
    mkdirSync(full);
  } else {
    symlinkSync(content.to ?? '', full);
  }
  if (typeof content === 'string') {
    chmodSync(full, 0o600);
  }
}

/**
 * Returns a description of the root and of each entry below it, by path. The description differs if the kind, mode or
 * content of the entry differs.
 */
function snapshot(root: string): ReadonlyMap<string, string> {
  const paths = ['.', ...readdirSync(root, { recursive: true, encoding: 'utf8' })];
  return new Map(paths.map((path) => [path, describe(join(root, path))]));
}

function describe(path: string): string {
  const stats = lstatSync(path);
  if (stats.isDirectory()) {
    return `directory ${stats.mode}`;
  }
  if (stats.isSymbolicLink()) {
    return `link to ${readlinkSync(path)}`;
  }
  return `file ${stats.mode} ${stats.mtimeMs} ${stats.size} ${stats.ino}`;
}

function difference(before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) {
  const paths = new Set([...before.keys(), ...after.keys()]);
  return [...paths].filter((path) => before.get(path) !== after.get(path));
}
