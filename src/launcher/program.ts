import { Script } from 'node:vm';
import type { Logins } from '../agent/parts/registry/answer/logins.ts';

/** What the bundled program exports. */
export interface Program {
  /** Runs one command line, `process.argv` as Node gives it, and resolves to the exit code. */
  main(argv: readonly string[]): Promise<number>;
  /**
   * Returns the node's registry logins below `root`, with a usable one for `server`; throws a NodeError without one.
   */
  freshLogins(server: string, root: string): Promise<Logins>;
  /** Ends the process for an uncaught error, with a message of our own. */
  endForUncaught(thrown: unknown): never;
}

/** The program, ready to run, and its script: V8 can cache what was compiled by then. */
export interface LoadedProgram {
  readonly exports: Program;
  readonly script: Script;
}

/** Runs the bundled CommonJS program and returns its exports. */
export function loadProgram(source: Buffer, cache?: Buffer): LoadedProgram {
  const script = compileProgram(source, cache);
  const module = { exports: {} as Program };
  script.runInThisContext()(module, module.exports, requireBuiltin);
  return { exports: module.exports, script };
}

/**
 * Compiles the program without running it. `cache` is V8 code cache of the very same source; a cache that V8 rejects
 * (another V8, another processor) only makes the start slower.
 */
export function compileProgram(source: Buffer, cache?: Buffer): Script {
  return new Script(`(function (module, exports, require) {${source.toString('latin1')}\n})`, {
    filename: 'slipway',
    ...(cache && cache.length > 0 && { cachedData: cache }),
  });
}

/**
 * Loads a builtin module and no other: everything else is in the bundle, so no file of the machine can replace a
 * module.
 */
function requireBuiltin(id: string): object {
  const found = process.getBuiltinModule(id);
  if (found === undefined) {
    throw Object.assign(new Error(`Cannot find module '${id}'`), { code: 'MODULE_NOT_FOUND' });
  }
  return found;
}
