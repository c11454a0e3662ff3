/**
 * Makes code caches of equal code equal: PROGRAM CACHE.
 *
 * V8 numbers functions in the order of compilation, including Node's, which depends on the network and the disk. It
 * numbers functions that it reads from a cache in the order of the cache.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { compileProgram } from '../src/launcher/program.ts';

const [program = '', cache = ''] = process.argv.slice(2);

const script = compileProgram(readFileSync(program), readFileSync(cache));
if (script.cachedDataRejected) {
  throw new Error(`${cache} is not a code cache for ${program} here`);
}
writeFileSync(cache, script.createCachedData());
