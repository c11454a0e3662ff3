import { Script } from 'node:vm';
import type { Logins } from '../agent/parts/registry/answer/logins.ts';

/** The exports of the bundled program. */
export interface Program {
  /** Runs one command line, `process.argv` as Node provides it, and resolves to the exit code. */
  main(argv: readonly string[]): Promise<number>;
  /**
   * Returns the node's registry logins below `root`, with a usable one for `server`; throws a NodeError if it cannot
   * get one.
   */
  freshLogins(server: string, root: string): Promise<Logins>;
  /** Ends the process after an uncaught error, with our own message. */
  endForUncaught(thrown: unknown): never;
}

/** The loaded program, and its script, from which V8 can write a code cache of everything compiled so far. */
export interface LoadedProgram {
  readonly exports: Program;
  readonly script: Script;
}

/** Runs the bundled CommonJS program, and returns its exports and its script. */
export function loadProgram(source: Buffer, cache?: Buffer): LoadedProgram {
  const script = compileProgram(source, cache);
  const module = { exports: {} as Program };
  script.runInThisContext()(module, module.exports, requireBuiltin);
  return { exports: module.exports, script };
}

/**
 * Compiles the program without running it. `cache` is V8's code cache of the same source; a cache that V8 rejects
 * (another V8, another processor) only makes the start slower.
 */
export function compileProgram(source: Buffer, cache?: Buffer): Script {
  return new Script(`(function (module, exports, require) {${source.toString('latin1')}\n})`, {
    filename: 'slipway',
    ...(cache && cache.length > 0 && { cachedData: cache }),
  });
}

/**
 * Loads a builtin module, and rejects any other: the bundle contains everything else, so no file of the machine can
 * replace a module.
 */
function requireBuiltin(id: string): object {
  const found = process.getBuiltinModule(id);
  if (found === undefined) {
    throw Object.assign(new Error(`Cannot find module '${id}'`), { code: 'MODULE_NOT_FOUND' });
  }
  return found;
}
