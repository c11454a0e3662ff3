/**
 * Renumbers the functions in a code cache, so that all code caches of one program are equal; run with the arguments
 * PROGRAM CACHE.
 *
 * V8 numbers functions in the order in which it compiles them. Node's own functions count too, and their order depends
 * on the timing of the network and the disk. If V8 instead reads the functions from a cache, it numbers them in the
 * order of the cache.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { compileProgram } from '../src/launcher/program.ts';

const [program = '', cache = ''] = process.argv.slice(2);

const script = compileProgram(readFileSync(program), readFileSync(cache));
if (script.cachedDataRejected) {
  throw new Error(`${cache} is not a code cache for ${program} here`);
}
writeFileSync(cache, script.createCachedData());
