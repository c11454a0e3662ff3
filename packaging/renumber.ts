/**
 * Makes equal caches of caches of equal code: PROGRAM CACHE.
 *
 * V8 numbers functions as they are compiled, Node's own among them, whose order hangs on the network and the disk.
 * Those it reads from a cache it numbers as they lie in it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { compileProgram } from '../src/launcher/program.ts';

const [program = '', cache = ''] = process.argv.slice(2);

const script = compileProgram(readFileSync(program), readFileSync(cache));
if (script.cachedDataRejected) throw new Error(`${cache} is no code cache for ${program} here`);
writeFileSync(cache, script.createCachedData());
