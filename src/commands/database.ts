import { parseJson } from '../agent/engine/json.ts';
import { databaseWork } from '../agent/host/database/database-work.ts';
import { doDatabaseWork } from '../agent/host/database/do-database-work.ts';
import { print } from '../agent/host/process/print.ts';
import { misused } from './cli-forms.ts';

/**
 * Copies or reads a database, and prints the answer or the error as JSON. Resolves to 0. Slipway runs this command as a
 * child process. Throws `InvalidSettings` if the text is not the JSON of a `DatabaseWork`.
 */
export async function database(text: string): Promise<number> {
  const work = parseJson(databaseWork, text);
  if (work === undefined) {
    throw misused('database', 'is for Slipway itself; to restore a copy, run slipway restore --from FILE.');
  }
  print(`${JSON.stringify(await doDatabaseWork(work))}\n`);
  return 0;
}
